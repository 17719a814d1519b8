"""The module SampleData: other modules register their sample data in it; its buttons fetch them.

Nothing is downloaded: only `file:` addresses are fetched. As in Slicer a source's own `customDownloader` runs when its
button is pressed (`press_sample_button`), not in `downloadSamples`.
"""

import hashlib
import shutil
import sys
import types
import urllib.parse
import urllib.request
from pathlib import Path

import slicer


class SampleDataSource:
    """One sample: texts, or lists of texts of the same length where it has several files."""

    def __init__(self, sampleName=None, sampleDescription=None, uris=None, fileNames=None, nodeNames=None,
                 checksums=None, loadFiles=None, customDownloader=None, thumbnailFileName=None, loadFileType=None,
                 loadFileProperties=None):
        if uris is None or fileNames is None:
            raise TypeError("Slicer's SampleDataSource needs uris and fileNames, even beside a customDownloader")
        single = isinstance(uris, str)
        count = 1 if single else len(uris)
        fields = {"uris": uris, "fileNames": fileNames, "nodeNames": nodeNames, "checksums": checksums,
                  "loadFiles": loadFiles, "loadFileType": loadFileType}
        for name, value in fields.items():
            spread = [value] * count if single or value is None or isinstance(value, str) else list(value)
            if len(spread) != count:
                raise ValueError(f"All fields of sample data source must have the same length: {name} has "
                                 f"{len(spread)}, not {count}")
            setattr(self, name, spread)
        self.sampleName, self.sampleDescription = sampleName, sampleDescription or sampleName
        self.customDownloader, self.thumbnailFileName = customDownloader, thumbnailFileName
        self.loadFileProperties = loadFileProperties or {}

    def __eq__(self, other):
        return isinstance(other, SampleDataSource) and vars(self) == vars(other)

    __hash__ = None


class SampleDataLogic:
    """Registers and fetches samples; all of them are in `slicer.modules.sampleDataSources`, by category."""

    @staticmethod
    def registerCustomSampleDataSource(category="Custom", sampleName=None, uris=None, fileNames=None, nodeNames=None,
                                       customDownloader=None, thumbnailFileName=None, loadFileType="VolumeFile",
                                       loadFiles=None, loadFileProperties=None, checksums=None) -> None:
        source = SampleDataSource(sampleName, None, uris, fileNames, nodeNames, checksums, loadFiles, customDownloader,
                                  thumbnailFileName, loadFileType, loadFileProperties)
        known = slicer.modules.sampleDataSources.setdefault(category, [])
        if source not in known:
            known.append(source)

    @staticmethod
    def sampleDataSourcesByCategory(category=None):
        sources = slicer.modules.sampleDataSources
        return sources if category is None else sources.get(category, [])

    @staticmethod
    def isSampleDataSourceRegistered(category, sampleDataSource) -> bool:
        return sampleDataSource in slicer.modules.sampleDataSources.get(category, [])

    def sourceForSampleName(self, sampleName):
        return next((source for sources in slicer.modules.sampleDataSources.values() for source in sources
                     if source.sampleName == sampleName), None)

    def downloadFromSource(self, source, maximumAttemptsCount=3) -> list[str]:
        """Paths of the fetched files; raises ValueError for a checksum that does not fit."""
        return [self.downloadFileIntoCache(*of_one)
                for of_one in zip(source.uris, source.fileNames, source.checksums)]

    def downloadFileIntoCache(self, uri: str, name: str, checksum=None) -> str:
        address = urllib.parse.urlparse(uri)
        if address.scheme != "file":
            raise ValueError(f"this host fetches nothing from the network: {uri}")
        path = Path(slicer.mrmlScene.GetCacheManager().GetRemoteCacheDirectory()) / name
        shutil.copyfile(urllib.request.url2pathname(address.path), path)
        algorithm, _, digest = (checksum or "").partition(":")
        if digest and hashlib.new(algorithm, path.read_bytes()).hexdigest() != digest.lower():
            path.unlink()
            raise ValueError(f"{name}: the checksum is not {checksum}")
        return str(path)

    def downloadSamples(self, sampleName) -> list:
        source = self.sourceForSampleName(sampleName)
        return self.downloadFromSource(source) if source else []


def press_sample_button(sample_name: str):
    """What pressing the sample's button in the module SampleData does."""
    source = SampleDataLogic().sourceForSampleName(sample_name)
    if source is None:
        raise LookupError(f"no sample data named {sample_name}")
    return source.customDownloader(source) if source.customDownloader else SampleDataLogic().downloadFromSource(source)


def install() -> None:
    module = types.ModuleType("SampleData")
    module.SampleDataSource, module.SampleDataLogic = SampleDataSource, SampleDataLogic
    module.downloadSamples = lambda sampleName: SampleDataLogic().downloadSamples(sampleName)
    sys.modules["SampleData"] = module
    slicer.modules.sampleDataSources = {}
