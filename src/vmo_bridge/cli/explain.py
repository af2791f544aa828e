"""Follow a signal, a KPI result or a record down to the raw payloads it comes from."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vmo_bridge.cli import show
from vmo_bridge.cli.look import kpi_json, measured, signal_json
from vmo_bridge.cli.opening import load
from vmo_bridge.cli.options import format_option

if TYPE_CHECKING:
    from vmo_bridge.hooks.loader import Plugins
    from vmo_bridge.records import KpiResult, Signal
    from vmo_bridge.settings import Settings
    from vmo_bridge.store import Store
    from vmo_bridge.store.tombstones import Tombstone


@click.command()
@click.argument("name")
@click.option("--raw", is_flag=True, help="Show the raw payloads, too (JSON always has them).")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=20,
    show_default=True,
    help="Records shown in a table; 0: all.",
)
@format_option
@click.pass_obj
def explain(config: Path, name: str, raw: bool, limit: int, form: str) -> None:
    """Explain NAME: a signal's id, a KPI result's id, or a record's id or number."""
    from vmo_bridge.store import Store

    settings, plugins = load(config)
    with Store(settings.store_path) as store:
        content = _content(store, settings, plugins, name)
    if form == "json":
        show.as_json(content)
    else:
        _show(content, raw=raw, limit=limit)


def _content(store: Store, settings: Settings, plugins: Plugins, name: str) -> dict[str, Any]:
    for signal in store.findings.signals():
        if signal.finding.id == name:
            return _signal(store, plugins, signal)
    result = store.findings.kpis_by_id().get(name)
    if result is not None:
        return _kpi(store, settings, plugins, name, result)
    found = store.versions.find(name)
    if found:
        return {"record": name, "records": [_traced(store, row) for row in found]}
    raise click.ClickException(
        f"there is no signal, KPI result or record {name!r}; 'signals' and 'kpis --format json' "
        "list their ids, a record goes by its number (INC0010023) or id"
    )


def _signal(store: Store, plugins: Plugins, signal: Signal) -> dict[str, Any]:
    refs = signal.finding.evidence
    rule = plugins.rules.get(signal.finding.rule)
    return {
        **signal_json(signal, store.versions.labels(refs)),
        "raised_at": show.iso(signal.raised_at),
        "seen_at": show.iso(signal.seen_at),
        "numbers": signal.finding.numbers,
        "question": rule.question if rule else None,
        "rule_version": rule.version if rule else None,
        "records": _traced_refs(store, refs),
    }


def _kpi(
    store: Store, settings: Settings, plugins: Plugins, name: str, result: KpiResult
) -> dict[str, Any]:
    content = {"id": name, **kpi_json(result)}
    kpi = plugins.kpis.get(result.kpi)
    if kpi is None:
        return {**content, "records": [], "hidden": "the plugin of this KPI is not loaded any more"}
    content |= {"title": kpi.title, "question": kpi.question, "note": kpi.note, "sql": kpi.items}
    if result.status == "too-few":
        why = f"{result.n} items are too few, or of too few people: they are not shown alone"
        return {**content, "records": [], "hidden": why}
    from vmo_bridge.value.measure import items_behind

    items = items_behind(store, settings, kpi, result, as_of=_as_of(store))
    amounts = {item["ref"]: item["amount"] for item in items}
    records = _traced_refs(store, list(amounts))
    for record in records:
        record["amount"] = amounts[record["ref"]]
    return {**content, "records": records}


def _as_of(store: Store) -> datetime:
    """The moment the stored results were measured for."""
    run = store.runs.last("measure", "done")
    return (run.as_of if run else None) or datetime.now(tz=UTC)


def _traced_refs(store: Store, refs: Iterable[str]) -> list[dict[str, Any]]:
    return [_traced(store, row) for row in store.versions.by_refs(list(refs))]


def _traced(store: Store, row: dict[str, Any]) -> dict[str, Any]:
    """A record with the place and content of the raw payload that it was made from."""
    source, stream, fetched_at = store.raw.origin(row["page"])
    return {
        "id": row["id"],
        "ref": row["ref"],
        "kind": row["kind"],
        "number": row.get("number"),
        "title": row.get("title") or row.get("text") or row.get("name"),
        "changed_at": show.iso(datetime.fromtimestamp(row["valid_from"], tz=UTC)),
        "fetched_at": show.iso(fetched_at),
        "gone": _gone(store.tombstones.of(row["ref"])),
        "from": f"{source}:{stream} page {row['page']} position {row['position']}",
        "raw": store.raw.payload(row["page"], row["position"]),
    }


def _gone(stone: Tombstone | None) -> str | None:
    """What became of a record that is no longer there: the word, the moment and the proof."""
    if stone is None:
        return None
    proof = f" ({stone.proof})" if stone.proof else ""
    return f"{stone.state} {show.iso(stone.gone_at)}{proof}"


def _show(content: dict[str, Any], *, raw: bool, limit: int) -> None:
    records = content.pop("records")
    if "rule" in content:
        _show_signal(content)
    elif "kpi" in content:
        _show_kpi(content)
    if "hidden" in content:
        click.echo(content["hidden"])
    shown = records[:limit] if limit else records
    show.table(
        ["record", "number", "what", "amount", "changed", "raw payload"],
        [
            (
                each["id"],
                each["number"],
                f"{each['title'] or ''} [{each['gone']}]" if each["gone"] else each["title"],
                each.get("amount"),
                each["changed_at"],
                each["from"],
            )
            for each in shown
        ],
        title=f"{len(records)} records make the case" if "record" not in content else "",
    )
    if len(shown) < len(records):
        click.echo(f"… and {len(records) - len(shown)} more (--limit 0 shows all)")
    if raw:
        show.as_json({each["id"]: each["raw"] for each in shown})


def _show_signal(content: dict[str, Any]) -> None:
    click.echo(f"{content['id']} ({content['state']}, since {content['raised_at']})")
    click.echo(f"{content['title']}: {content['why']}")
    click.echo(f"asks: {content['question']}  window: {' to '.join(content['window'])}")
    worth = content["worth"]
    click.echo(f"worth: {worth['hours_per_year']:,} hours, {worth['cost_per_year']:,} a year")
    click.echo(
        ", ".join(f"{name} {show.text(value)}" for name, value in content["numbers"].items())
    )


def _show_kpi(content: dict[str, Any]) -> None:
    scope = f"{content['service'] or 'all services'}, {content['user_group'] or 'all user groups'}"
    click.echo(f"{content['id']}: {content.get('title', content['kpi'])} ({scope})")
    # No "=" between: of a median they are what the mean is made of.
    click.echo(
        f"{measured(content['value'], content['unit']) or 'not known'} "
        f"(numerator {show.text(content['numerator']) or 'not known'}, "
        f"denominator {show.text(content['denominator']) or 'not known'}), "
        f"n {content['n']}, target {measured(content['target'], content['unit']) or 'none'}: "
        f"{content['status']}"
    )
    click.echo(f"from {content['start']} to {content['end']}, data as of {content['data_as_of']}")
    click.echo(content.get("note", ""))
