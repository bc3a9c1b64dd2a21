"""The layer's build: compiled modules of both architectures side by side, and none of only one."""

from pathlib import Path

import pytest

from layers.dailies.merge import merge

AARCH64, X86_64 = ".cpython-313-aarch64-linux-gnu.so", ".cpython-313-x86_64-linux-gnu.so"


def made(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def test_the_modules_of_both_are_side_by_side(tmp_path: Path) -> None:
    source = made(tmp_path / "from", f"core/_core{X86_64}", f"_c{X86_64}", "core/__init__.py")
    target = made(tmp_path / "into", f"core/_core{AARCH64}", f"_c{AARCH64}", "core/__init__.py")
    merge(source, target)
    found = {path.relative_to(target).as_posix(): path.read_text() for path in target.rglob("*.so")}
    assert found == {name: name for end in (AARCH64, X86_64) for name in (f"core/_core{end}", f"_c{end}")}


@pytest.mark.parametrize("end", [AARCH64, X86_64])
def test_a_module_of_one_of_them_alone_is_refused(tmp_path: Path, end: str) -> None:
    lonely = made(tmp_path / ("into" if end == AARCH64 else "from"), f"core/_core{end}", f"_c{end}")
    other = made(tmp_path / ("from" if end == AARCH64 else "into"), f"_c{X86_64 if end == AARCH64 else AARCH64}")
    source, target = (other, lonely) if end == AARCH64 else (lonely, other)
    with pytest.raises(SystemExit, match=r"not there for both architectures: core/_core$"):
        merge(source, target)


@pytest.mark.parametrize("name", ["_c.so", "_c.abi3.so", "_c.cpython-313-darwin.so"])
def test_so_is_one_that_does_not_say_whose_it_is(tmp_path: Path, name: str) -> None:
    with pytest.raises(SystemExit, match="not there for both architectures"):
        merge(made(tmp_path / "from", name), made(tmp_path / "into", f"_d{AARCH64}", f"_d{X86_64}"))


def test_so_is_a_layer_without_any(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="any compiled module"):
        merge(made(tmp_path / "from", "a.py"), made(tmp_path / "into", "a.py"))
