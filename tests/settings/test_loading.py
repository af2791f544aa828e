"""A configuration says what is meant, and a mistake in it says how to mend it."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from vmo_bridge.errors import ConfigError
from vmo_bridge.settings import SecretSource, Settings, load_settings, validate_section

Configure = Callable[[str], Settings]

EVERYTHING = """
[bridge]
store = "data/kept.db"
as_of = 2026-10-31T02:00:00+02:00
log_level = "DEBUG"

[people]
names = true
key = { env = "PEOPLE_KEY" }

[connectors.helpdesk]
plugin = "servicenow"
enabled = false
url = "https://x.invalid"

[connectors.hr-desk_2]
plugin = "jira"

[sync]
overlap_seconds = 0

[feedback.questions]
csat = ["How satisfied?", "q:7"]
lost_time = ["Minutes lost?"]
comment = []

[value]
hourly_rate = 0
currency = "EUR"

[[targets]]
kpi = "csat"
value = 0.9
service = "Payroll"
user_group = "Field"
agreed_with = "Director"
agreed_on = 2026-01-31

[rules.watermelon]
enabled = false

[kpis.csat]
enabled = true
min_n = 1

[publish]
mode = "apply"
connectors = ["helpdesk"]
closed_tickets = true
table = "x_vmo_result"
prefix = "x_1_"

[schedule]
every_minutes = 0.5

[plugins]
off = ["jira"]
"""


def test_every_section_is_read_as_it_stands(configure: Configure, tmp_path: Path) -> None:
    settings = configure(EVERYTHING)
    assert settings.file == tmp_path / "vmo-bridge.toml"
    assert settings.store_path == tmp_path / "data" / "kept.db"
    assert settings.bridge.as_of == datetime(2026, 10, 31, tzinfo=UTC)
    assert settings.bridge.log_level == "DEBUG"
    assert settings.people.names
    assert settings.people.key == SecretSource(env="PEOPLE_KEY")
    assert list(settings.connectors) == ["helpdesk", "hr-desk_2"]
    assert not settings.connectors["helpdesk"].enabled
    assert settings.connectors["helpdesk"].own == {"url": "https://x.invalid"}
    assert settings.connectors["hr-desk_2"].own == {}
    assert settings.sync.overlap_seconds == 0
    asked = settings.feedback.questions["csat"]
    assert [each.question for each in asked] == ["How satisfied?", "q:7"]
    assert settings.value.hourly_rate == 0
    assert settings.targets[0].agreed_on == date(2026, 1, 31)
    assert settings.rules == {"watermelon": {"enabled": False}}
    assert settings.kpis["csat"].min_n == 1
    assert settings.publish.mode == "apply"
    assert settings.publish.table == "x_vmo_result"
    assert settings.schedule.every_minutes == 0.5
    assert settings.plugins.off == ["jira"]


def test_an_empty_file_is_a_configuration_with_safe_defaults(
    configure: Configure, tmp_path: Path
) -> None:
    settings = configure("")
    assert settings.publish.mode == "plan"
    assert not settings.people.names
    assert not settings.publish.closed_tickets
    assert settings.bridge.as_of is None
    assert settings.connectors == {}
    assert settings.store_path == tmp_path / "vmo-bridge.db"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[bridge]\nlog_level = 'LOUD'", ("bridge.log_level", "'LOUD'", "'INFO'")),
        ("[bridge]\nas_of = 'soon'", ("bridge.as_of", "'soon'")),
        ("[bridge]\nas_of = 2026-10-31T00:00:00", ("bridge.as_of", "timezone")),
        ("[bridge]\nas_of = 2026-10-31", ("bridge.as_of", "write a moment with its zone")),
        ("[bridge]\nas_of = 20261031", ("bridge.as_of", "20261031", "with its zone")),
        ("[bridge]\nas_of = 9999-12-31T23:59:59-10:00", ("bridge.as_of", "1970 to 2099")),
        ("[bridge]\nstore = 7", ("bridge.store", "7")),
        ("[people]\nnames = 'perhaps'", ("people.names", "'perhaps'")),
        ("[sync]\noverlap_seconds = -1", ("sync.overlap_seconds", "-1", "greater than")),
        ("[sync]\noverlap_seconds = 86401", ("sync.overlap_seconds", "86401", "less than")),
        ("[sync]\noverlap_seconds = 'a lot'", ("sync.overlap_seconds", "'a lot'", "integer")),
        ("[feedback.questions]\nmood = ['Q']", ("feedback.questions", "'mood'", "csat")),
        ("[feedback.questions]\ncsat = 'Q'", ("feedback.questions.csat", "'Q'", "list")),
        (
            "[feedback.questions]\ncsat = ['Q']\nlost_time = ['Q']",
            ("feedback.questions", "'Q'", "one metric"),
        ),
        ("[value]\nhourly_rate = -0.01", ("value.hourly_rate", "-0.01")),
        ("[[targets]]\nvalue = 1", ("targets.0.kpi", "is missing", "add it")),
        ("[[targets]]\nkpi = 'csat'\nvalue = 'x'", ("targets.0.value", "'x'")),
        (
            "[[targets]]\nkpi = 'csat'\nvalue = 1\nagreed_on = 'May'",
            ("targets.0.agreed_on", "'May'"),
        ),
        ("[kpis.csat]\nmin_n = 0", ("kpis.csat.min_n", "0", "greater than")),
        ("[kpis.csat]\nmin = 3", ("kpis.csat.min", "no such setting")),
        ("[publish]\nmode = 'dry'", ("publish.mode", "'dry'", "'plan' or 'apply'")),
        ("[publish]\nmod = 'plan'", ("publish.mod", "no such setting", "did you mean 'mode'")),
        ("[publish]\ntable = 'incident'", ("publish.table", "'incident'")),
        ("[publish]\nprefix = 'u_vmo'", ("publish.prefix", "'u_vmo'")),
        (
            "[feedback.questions]\ncsat = [{ question = 'Q', scale = [5, 1] }]",
            ("feedback.questions.csat.0.scale", "lowest answer first"),
        ),
        ("[[feedback.ties]]\nservice = 'Payroll'", ("feedback.ties.0", "give source, survey")),
        ("[[feedback.ties]]\nsurvey = 'Pulse'", ("feedback.ties.0", "give service or user_group")),
        ("[schedule]\nevery_minutes = 0", ("schedule.every_minutes", "0")),
        ("[schedule]\nxyzzy = 0", ("schedule.xyzzy", "use one of: every_minutes")),
        ("[plugins]\noff = 'jira'", ("plugins.off", "'jira'", "list")),
        ("[publsh]\nmode = 'plan'", ("publsh", "did you mean 'publish'")),
        ("[connectors.helpdesk]\nenabled = true", ("connectors.helpdesk.plugin", "is missing")),
        (
            "[connectors.helpdesk]\nplugin = 'x'\nenabled = 'so so'",
            ("connectors.helpdesk.enabled", "'so so'"),
        ),
        ("[connectors.HelpDesk]\nplugin = 'x'", ("connectors", "'HelpDesk'", "lower-case")),
        ("[connectors.'a/b']\nplugin = 'x'", ("connectors", "'a/b'", "lower-case")),
        ("[connectors.'a:b']\nplugin = 'x'", ("connectors", "'a:b'", "lower-case")),
        ("connectors = 3", ("connectors", "3", "dictionary")),
        ("[people]\nkey = { env = 'A', file = 'b' }", ("people.key", "exactly one")),
        ("[people]\nkey = {}", ("people.key", "exactly one")),
        ("[people]\nkey = { keyring = 'service' }", ("people.key", "service/user")),
        ("[people]\nkey = { vault = 'x' }", ("people.key.vault", "no such setting")),
    ],
)
def test_a_mistake_names_file_key_value_and_cure(
    configure: Configure, tmp_path: Path, text: str, said: tuple[str, ...]
) -> None:
    with pytest.raises(ConfigError) as caught:
        configure(text)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'vmo-bridge.toml'}: {said[0]}: ")
    for each in said:
        assert each in message
    assert caught.value.exit_code == 2


def test_all_mistakes_are_told_at_once(configure: Configure) -> None:
    with pytest.raises(ConfigError) as caught:
        configure("[publish]\nmode = 'dry'\n[schedule]\nevery_minutes = 0\n[nonsense]")
    assert [line.split(": ")[1] for line in str(caught.value).splitlines()] == [
        "publish.mode",
        "schedule.every_minutes",
        "nonsense",
    ]


def test_bad_toml_names_the_line(configure: Configure, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"not valid TOML.*line 2") as caught:
        configure("[bridge]\nstore = \n")
    assert str(tmp_path / "vmo-bridge.toml") in str(caught.value)


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no such file; make one with .* init"):
        load_settings(tmp_path / "absent.toml")


def test_a_folder_or_another_encoding_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_settings(tmp_path)
    file = tmp_path / "latin.toml"
    file.write_bytes("[value]\ncurrency = '£'".encode("latin-1"))
    with pytest.raises(ConfigError, match="cannot be read"):
        load_settings(file)


def test_the_environment_beats_the_file(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VMO_PUBLISH__MODE", "apply")
    monkeypatch.setenv("VMO_BRIDGE__STORE", "elsewhere.db")
    monkeypatch.setenv("VMO_CONNECTORS__DESK__URL", "https://other.invalid")
    settings = configure(
        "[publish]\nmode = 'plan'\nclosed_tickets = true\n"
        "[connectors.desk]\nplugin = 'x'\nurl = 'https://desk.invalid'"
    )
    assert settings.publish.mode == "apply"
    assert settings.publish.closed_tickets, "what the environment does not name stays"
    assert settings.store_path.name == "elsewhere.db"
    assert settings.connectors["desk"].own["url"] == "https://other.invalid"


def test_a_mistake_in_the_environment_names_the_variable(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VMO_PUBLISH__MODE", "aply")
    with pytest.raises(ConfigError, match=r"VMO_PUBLISH__MODE: 'aply' is not right"):
        configure("")


@pytest.mark.parametrize("name", ["VMO_CONNECTORS", "VMO_PEOPLE", "VMO_PLUGINS__OFF"])
def test_a_variable_that_is_no_json_is_a_mistake_in_the_configuration(
    configure: Configure, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "s3cret{")
    with pytest.raises(ConfigError, match=r"environment") as caught:
        configure("")
    assert "s3cret" not in _everything_printed(caught.value)


def test_a_stranger_variable_is_none_of_our_business(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VMO_SOMETHING_ELSE", "1")
    assert configure("").publish.mode == "plan"


def test_neither_file_nor_environment_says_where_the_configuration_lies(
    configure: Configure, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VMO_FILE", "/elsewhere/other.toml")
    settings = configure("file = '/nowhere/x.toml'")
    assert settings.file == tmp_path / "vmo-bridge.toml"
    assert settings.store_path.parent == tmp_path


def test_paths_are_relative_to_the_configuration_not_to_the_folder_one_is_in(
    tmp_path: Path, clean_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "c.toml").write_text("[bridge]\nstore = 's.db'")
    monkeypatch.chdir(tmp_path)
    settings = load_settings(Path("etc/c.toml"))
    monkeypatch.chdir(clean_environment)
    assert settings.store_path == tmp_path / "etc" / "s.db"
    assert settings.path(Path("~/x")) == clean_environment / "x"
    assert settings.path(Path("/x")) == Path("/x")


@pytest.mark.parametrize(
    "text",
    [
        "[people]\nkey = 'hunter2'",
        "[people]\nkey = ['hunter2']",
        "[people]\nkey = { file = ['hunter2'] }",
        "[people]\nkey = { keyring = 'hunter2' }",
        "[people]\nkey = { env = 'A', value = 'hunter2' }",
        "[people]\npassword = 'hunter2'",
        "[[connectors]]\nplugin = 'x'\npassword = 'hunter2'",
    ],
)
def test_a_secret_in_plain_text_is_refused_and_never_repeated(
    configure: Configure, text: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        configure(text)
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in _everything_printed(caught.value)


class Own(BaseModel, extra="forbid"):
    """A plugin's own settings."""

    url: str
    password: SecretSource | None = None
    api_token: str | None = None
    size: int = 3


def test_a_plugins_own_section_is_checked_in_the_same_words(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"

    def check(**content: Any) -> Own:
        return validate_section(Own, content, file=file, prefix="connectors.desk")

    assert check(url="x", password={"env": "P"}).password == SecretSource(env="P")
    with pytest.raises(ConfigError, match=r"c\.toml: connectors\.desk\.url: is missing; add it"):
        check()
    with pytest.raises(ConfigError, match=r"connectors\.desk\.ulr: .*did you mean 'url'"):
        check(url="x", ulr="y")
    with pytest.raises(ConfigError, match=r"connectors\.desk\.size: 'big' is not right"):
        check(url="x", size="big")
    for wrong in ({"password": "hunter2"}, {"api_token": ["hunter2"]}, {"pasword": "hunter2"}):
        with pytest.raises(ConfigError, match=r"connectors\.desk\.") as caught:
            check(url="x", **wrong)
        assert "hunter2" not in _everything_printed(caught.value)


def test_settings_are_facts(configure: Configure) -> None:
    settings = configure("")
    with pytest.raises(ValidationError):
        settings.publish.mode = "apply"  # type: ignore[misc]


def _everything_printed(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


@pytest.mark.parametrize(
    ("variable", "cure"),
    [("VMO_PUBLSH__MODE", "did you mean VMO_PUBLISH__"), ("VMO_XYZ__A", "remove it")],
)
def test_a_mistyped_variable_is_no_silent_default(
    variable: str, cure: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "vmo-bridge.toml"
    path.write_text("")
    monkeypatch.setenv(variable, "plan")
    with pytest.raises(ConfigError, match=f"{variable}: there is no section .*{cure}"):
        load_settings(path)


def test_a_mark_at_the_beginning_of_the_file_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "vmo-bridge.toml"
    path.write_bytes(b"\xef\xbb\xbf[publish]\nmode = 'apply'\n")
    assert load_settings(path).publish.mode == "apply"
