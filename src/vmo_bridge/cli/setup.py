"""Set up: write a configuration, check it, see the plugins."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vmo_bridge.cli import show
from vmo_bridge.cli.opening import load
from vmo_bridge.cli.options import list_format_option
from vmo_bridge.errors import ConfigError, VmoBridgeError

if TYPE_CHECKING:
    from vmo_bridge.connectors.contract import CheckRow
    from vmo_bridge.hooks.loader import Plugins
    from vmo_bridge.settings import Settings


def _shaped(pattern: str, hint: str) -> Callable[[click.Context, click.Parameter, str], str]:
    """Refuse an answer of another shape at once; at a prompt the question is asked again."""

    def shaped(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise click.BadParameter(f"{value!r} is not right; {hint}")
        return value

    return shaped


@click.command()
@click.option("--url", prompt="Address of your ServiceNow (https://…)", help="The instance.")
@click.option("--user", prompt="Integration user", help="Who signs in there.")
@click.option(
    "--password-env",
    prompt="Environment variable that holds the password",
    default="SERVICENOW_PASSWORD",
    callback=_shaped(r"[A-Za-z_][A-Za-z0-9_]*", "the name of a variable: SERVICENOW_PASSWORD"),
    help="The secret itself never stands in the file.",
)
@click.option(
    "--name",
    prompt="Short name for this source",
    default="helpdesk",
    callback=_shaped(r"[a-z][a-z0-9_-]*", "small letters, digits, '-' and '_': helpdesk"),
    help="In all ids.",
)
@click.pass_obj
def init(config: Path, url: str, user: str, password_env: str, name: str) -> None:
    """Ask a few questions and write a commented configuration."""
    from vmo_bridge.cli.template import render_config
    from vmo_bridge.hooks.loader import load_plugins
    from vmo_bridge.settings import load_settings

    if config.exists():
        raise ConfigError(f"{config}: is already there; move it away, or name another by --config")
    content = render_config(name=name, url=url, user=user, password_env=password_env)
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(content, encoding="utf-8")
    try:
        settings = load_settings(config)
        _check_source(settings, load_plugins(off=settings.plugins.off), name)
    except ConfigError as error:
        config.unlink()
        raise ConfigError(f"{error}\nnothing was written; run 'init' again") from None
    click.echo(f"wrote {config}")
    click.echo(
        f"next: put the password into {password_env}, then 'vmo-bridge --config {config} check'"
    )


def _check_source(settings: Settings, plugins: Plugins, name: str) -> None:
    """Let the plugin look at its own section: a wrong address is told now, not at the first check.

    The password is not read; it may be given later.
    """
    from vmo_bridge.settings import validate_section

    entry = settings.connectors[name]
    kind = plugins.connectors.get(entry.plugin)
    if kind is not None:
        validate_section(kind.settings, entry.own, file=settings.file, prefix=f"connectors.{name}")


@click.command()
@list_format_option
@click.pass_obj
def check(config: Path, form: str) -> None:
    """Check the configuration, and try reach, sign-in and rights of every source."""
    settings, plugins = load(config)
    rows = list(_checked(settings, plugins))
    if form != "table":
        show.as_rows(rows, form)
    else:
        show.table(
            ["source", "what", "state", "detail"],
            [(row["source"], row["what"], row["state"], row["detail"]) for row in rows],
        )
    if any(row["state"] == "failed" for row in rows):
        raise click.exceptions.Exit(1)


def _checked(settings: Settings, plugins: Plugins) -> list[dict[str, Any]]:
    from vmo_bridge.connectors.opening import enabled_connectors, opened
    from vmo_bridge.signals.detect import rule_parameters
    from vmo_bridge.value.measure import chosen_kpis

    rule_parameters(settings, plugins.rules)
    chosen_kpis(settings, plugins.kpis)
    rows = [_row("", str(settings.file), "ok", "configuration")]
    rows += [
        _row("", f"plugin {each.name}", "failed", each.reason)
        for each in plugins.rows
        if each.state == "broken"
    ]
    rows += [
        _row("", f"plugin {each.name}", "warning", each.reason)
        for each in plugins.rows
        if each.state == "missing"
    ]
    rows.append(_store_row(settings))
    for name in enabled_connectors(settings):
        try:
            with opened(name, settings, plugins) as connector:
                _remind(settings, name, connector)
                rows += [_checked_row(name, each) for each in connector.check()]
                rows += _provisioned(settings, name, connector)
        except VmoBridgeError as error:
            rows.append(_row(name, "source", "failed", str(error)))
    return rows


def _remind(settings: Settings, name: str, connector: Any) -> None:
    """Show a source what it remembers; what it notes while it is checked is not kept."""
    from vmo_bridge.connectors.abilities import Remembering
    from vmo_bridge.store import Store

    if isinstance(connector, Remembering) and settings.store_path.exists():
        with suppress(VmoBridgeError), Store(settings.store_path) as store:  # has a row of its own
            connector.remember(dict(store.memory(name)))


def _store_row(settings: Settings) -> dict[str, Any]:
    """Whether the store can be read, or could be made."""
    from vmo_bridge.store import Store

    path = settings.store_path
    if path.exists():
        try:
            Store(path).close()
        except VmoBridgeError as error:
            return _row("", "store", "failed", str(error))
        return _row("", "store", "ok", str(path))
    folder = next(each for each in path.parents if each.exists())
    if not os.access(folder, os.W_OK):
        return _row("", "store", "failed", f"{path}: nothing can be written to {folder}")
    return _row("", "store", "ok", f"{path}: the first sync makes it")


def _provisioned(settings: Settings, name: str, connector: Any) -> list[dict[str, Any]]:
    """Whether the fields that values are written to are there and can hold them, without a write.

    Only of a target that is in use. What is told of single fields has a row of its own.
    """
    from vmo_bridge.publish.provisioning import Target
    from vmo_bridge.publish.stage import writable

    named = settings.publish.connectors
    if writable(connector) is None or (named and name not in named):
        return []
    target = Target(name, connector, settings)
    steps = target.steps()
    left = sum(not step.over_rest for step in steps)
    counted = [f"{len(steps) - left} missing"] if len(steps) > left else []
    counted += [f"{left} made only by the Update Set: only an admin can write"] if left else []
    told = "; ".join([*counted, "'vmo-bridge provision' lists them"]) if steps else "all there"
    return [
        _row(name, "value fields", "warning" if steps else "ok", told),
        *(
            _row(name, each.what, "warning" if each.state == "unknown" else "failed", each.detail)
            for each in target.unfit()
        ),
    ]


def _checked_row(source: str, row: CheckRow) -> dict[str, Any]:
    return _row(source, row.what, row.state, row.detail)


def _row(source: str, what: str, state: str, detail: str) -> dict[str, Any]:
    return {"source": source, "what": what, "state": state, "detail": detail}


@click.command()
@list_format_option
@click.pass_obj
def plugins(config: Path, form: str) -> None:
    """List the plugins: version, state, what they offer, and why one is broken."""
    from vmo_bridge.hooks.loader import load_plugins
    from vmo_bridge.settings import load_settings

    off = load_settings(config).plugins.off if config.exists() else []
    rows = load_plugins(off=off).rows
    if form != "table":
        show.as_rows(
            [
                {
                    "name": row.name,
                    "distribution": row.distribution,
                    "version": row.version,
                    "state": row.state,
                    "reason": row.reason or None,
                    "offers": list(row.offers),
                }
                for row in rows
            ],
            form,
        )
        return
    show.table(
        ["plugin", "package", "version", "state", "offers", "reason"],
        [
            (row.name, row.distribution, row.version, row.state, ", ".join(row.offers), row.reason)
            for row in rows
        ],
    )
