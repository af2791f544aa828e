"""A secret is pointed to, read late, and never shown."""

from __future__ import annotations

import builtins
from pathlib import Path
from types import ModuleType
from typing import Any

import keyring
import keyring.backend
import pytest

from vmo_bridge.errors import SecretMissing
from vmo_bridge.settings import SecretSource, load_settings


def test_a_secret_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESK_PASSWORD", "hunter2")
    assert SecretSource(env="DESK_PASSWORD").read("connectors.desk.password") == "hunter2"


@pytest.mark.parametrize("value", [None, ""])
def test_a_variable_that_is_empty_or_absent_is_told_by_name(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    if value is not None:
        monkeypatch.setenv("DESK_PASSWORD", value)
    with pytest.raises(SecretMissing, match=r"^a\.b: environment variable DESK_PASSWORD is empty"):
        SecretSource(env="DESK_PASSWORD").read("a.b")


def test_a_secret_is_read_from_a_file_without_its_line_end(tmp_path: Path) -> None:
    (tmp_path / "p").write_text("hunter2\n")
    source = SecretSource(file=Path("p"))
    assert source.read("a.b", relative_to=tmp_path) == "hunter2"
    assert SecretSource(file=tmp_path / "p").read("a.b", relative_to=Path("/x")) == "hunter2"


def test_a_file_in_the_home_folder_is_found(clean_environment: Path) -> None:
    (clean_environment / "p").write_text("hunter2")
    assert SecretSource(file=Path("~/p")).read("a.b", relative_to=Path("/x")) == "hunter2"


@pytest.mark.parametrize("content", [None, b"", b" \n", b"\xff\xfe\x00hunter2"])
def test_a_file_that_is_absent_empty_or_no_text_is_told_by_path(
    tmp_path: Path, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "p").write_bytes(content)
    with pytest.raises(SecretMissing) as caught:
        SecretSource(file=Path("p")).read("a.b", relative_to=tmp_path)
    assert str(caught.value).startswith(f"a.b: file {tmp_path / 'p'} is ")
    assert "hunter2" not in str(caught.value)


class Ring(keyring.backend.KeyringBackend):
    priority = 1  # type: ignore[assignment]

    def get_password(self, service: str, username: str) -> str | None:
        return "hunter2" if (service, username) == ("desk", "bridge") else None

    def set_password(self, service: str, username: str, password: str) -> None:
        raise AssertionError


@pytest.fixture
def ring() -> Any:
    before = keyring.get_keyring()
    keyring.set_keyring(Ring())
    yield
    keyring.set_keyring(before)


def test_a_secret_is_read_from_the_keyring(ring: None) -> None:
    assert SecretSource(keyring="desk/bridge").read("a.b") == "hunter2"
    with pytest.raises(SecretMissing, match=r"^a\.b: keyring entry desk/nobody is empty"):
        SecretSource(keyring="desk/nobody").read("a.b")


def test_a_machine_without_a_keyring_says_so() -> None:
    import keyring.backends.fail

    before = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.fail.Keyring())
    try:
        with pytest.raises(SecretMissing, match=r"^a\.b: .*keyring"):
            SecretSource(keyring="desk/bridge").read("a.b")
    finally:
        keyring.set_keyring(before)


def test_without_the_package_the_cure_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_keyring(name: str, *more: Any) -> ModuleType:
        if name == "keyring":
            raise ImportError(name)
        return real(name, *more)

    monkeypatch.setattr(builtins, "__import__", without_keyring)
    with pytest.raises(SecretMissing, match=r"install vmo-bridge\[keyring\]"):
        SecretSource(keyring="desk/bridge").read("a.b")


def test_settings_show_where_a_secret_is_never_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PEOPLE_KEY", "hunter2")
    file = tmp_path / "c.toml"
    file.write_text('[people]\nkey = { env = "PEOPLE_KEY" }')
    settings = load_settings(file)
    assert settings.people.key.read("people.key") == "hunter2"
    for shown in (repr(settings), str(settings), settings.model_dump_json()):
        assert "hunter2" not in shown
        assert "PEOPLE_KEY" in shown
