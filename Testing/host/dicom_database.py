"""`slicer.dicomDatabase`: None in this host, unless a test puts one with its own files there."""

class DicomDatabase:
    """A DICOM database that a test fills: `slicer.dicomDatabase = DicomDatabase({uid: path})`."""

    def __init__(self, files: dict[str, str]):
        self._files = files

    def fileForInstance(self, uid: str) -> str:
        return str(self._files.get(uid, ""))

    def instanceValue(self, uid: str, tag: str) -> str:
        import pydicom

        path = self.fileForInstance(uid)
        element = pydicom.dcmread(path, stop_before_pixels=True).get(tag.replace(",", "")) if path else None
        return "" if element is None else str(element.value)
