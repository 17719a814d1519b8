"""The CMakeLists.txt files name every file of the modules and everything the Extensions Index asks for."""

import re
from pathlib import Path

import pytest

NOT_INSTALLED = {"CMakeLists.txt", "README.md"}


def variables(cmake_lists: Path) -> dict[str, list[str]]:
    """The words of each `set(NAME words...)` in a file, with variables set before put in."""
    text = re.sub(r"#[^\n]*", "", cmake_lists.read_text(encoding="utf-8"))
    found: dict[str, list[str]] = {}
    for name, words in re.findall(r"\bset\(\s*(\w+)\s*([^)]*)\)", text):
        for known, value in found.items():
            words = words.replace(f"${{{known}}}", " ".join(value))
        found[name] = re.findall(r'"[^"]*"|\S+', words)
    return {name: [word.strip('"') for word in words] for name, words in found.items()}


def listed_files(module_folder: Path) -> set[str]:
    found = variables(module_folder / "CMakeLists.txt")
    return {*found["MODULE_PYTHON_SCRIPTS"], *found["MODULE_PYTHON_RESOURCES"]}


def test_every_file_of_a_module_is_listed(module_folder):
    there = {path.relative_to(module_folder) for path in module_folder.rglob("*") if path.is_file()}
    to_install = {path.as_posix() for path in there
                  if path.name not in NOT_INSTALLED and path.parts[0] != "Testing" and "__pycache__" not in path.parts}
    assert to_install == listed_files(module_folder)


def test_a_module_has_script_window_and_icon_of_its_own_name(module_name, module_folder):
    assert listed_files(module_folder) >= {f"{module_name}.py", f"Resources/UI/{module_name}.ui",
                                           f"Resources/Icons/{module_name}.png"}
    assert variables(module_folder / "CMakeLists.txt")["MODULE_NAME"] == [module_name]


def test_every_module_belongs_to_the_extension(repository):
    modules = {path.parent.name for path in repository.glob("*/*.py") if path.stem == path.parent.name}
    text = (repository / "CMakeLists.txt").read_text(encoding="utf-8")
    assert modules == set(re.findall(r"add_subdirectory\((\w+)\)", text))


@pytest.mark.parametrize("name", ["HOMEPAGE", "CONTRIBUTORS", "DESCRIPTION", "ICONURL", "SCREENSHOTURLS", "DEPENDS"])
def test_the_extension_is_described(repository, name):
    (value,) = variables(repository / "CMakeLists.txt")[f"EXTENSION_{name}"]
    assert value and "example" not in value.lower()


def test_the_addresses_are_of_one_repository_and_name_pictures_in_it(repository):
    extension = variables(repository / "CMakeLists.txt")
    (homepage,) = extension["EXTENSION_HOMEPAGE"]
    owner, name = homepage.removeprefix("https://github.com/").split("/")
    assert name == "SlicerOrganDose"
    for address in (*extension["EXTENSION_ICONURL"], *extension["EXTENSION_SCREENSHOTURLS"][0].split()):
        start = f"https://raw.githubusercontent.com/{owner}/{name}/main/"
        assert address.startswith(start) and (repository / address.removeprefix(start)).is_file()


def test_what_it_is_not_is_said_in_one_sentence_or_two(repository):
    (description,) = variables(repository / "CMakeLists.txt")["EXTENSION_DESCRIPTION"]
    assert "not a medical device" in description.lower() and len(description) < 250
