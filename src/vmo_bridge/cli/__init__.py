"""The command line: one thin command a verb; what is slow to import waits until it is used."""

from __future__ import annotations

import os
import sys
import traceback
from importlib import import_module
from pathlib import Path

import click

from vmo_bridge import __version__
from vmo_bridge.errors import StoreError, VmoBridgeError

_VERBS = {
    "init": "setup",
    "check": "setup",
    "provision": "provision",
    "plugins": "setup",
    "sync": "sync",
    "certificate": "certificate",
    "renormalise": "sync",
    "detect": "stages",
    "measure": "stages",
    "publish": "publish",
    "undo": "undo",
    "cycle": "stages",
    "run": "stages",
    "status": "status",
    "questions": "questions",
    "signals": "look",
    "kpis": "look",
    "explain": "explain",
    "sandbox": "sandbox",
    "demo": "demo",
}
"""Command to the module of this package that holds it, in the order of the help."""

_WHOLE = "VMO_BRIDGE_TRACEBACK"
"""The environment variable that shows an unexpected error as Python does, for a bug report."""


class _Verbs(click.Group):
    """Loads a command's module only when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        module = _VERBS.get(cmd_name)
        if module is None:
            return None
        command: click.Command = getattr(import_module(f"{__name__}.{module}"), cmd_name)
        return command


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("vmo-bridge.toml"),
    envvar="VMO_BRIDGE_CONFIG",
    show_default=True,
    help="The configuration.",
)
@click.version_option(__version__, prog_name="vmo-bridge")
@click.pass_context
def vmo_bridge(ctx: click.Context, config: Path) -> None:
    r"""VMO Bridge: from tickets and feedback to value in the records people look at.

    \b
    sync → detect → measure → publish, once by 'cycle' or for ever by 'run'.
    'demo' shows it all on a sample agency, without an account anywhere.
    """
    ctx.obj = config


def main() -> None:
    """Run the command line; a known error is one message and an exit code, no traceback."""
    try:
        # Without standalone mode click returns the code of a command that ends early.
        code = vmo_bridge.main(standalone_mode=False) or 0
        sys.stdout.flush()  # here a full disk or a closed pipe can still be told
        sys.exit(code)
    except (click.exceptions.Abort, KeyboardInterrupt):
        click.echo("stopped", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # What is still buffered has nowhere to go; Python would complain of it at the very end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except VmoBridgeError as error:
        click.echo(f"vmo-bridge: {error}", err=True)
        sys.exit(error.exit_code)
    except Exception as error:
        if _WHOLE in os.environ:
            raise
        told, code = _unexpected(error)
        click.echo(f"vmo-bridge: {told}", err=True)
        sys.exit(code)


def _unexpected(error: Exception) -> tuple[str, int]:
    """What to tell of an error that is not one of ours, and the exit code."""
    import sqlite3

    if isinstance(error, sqlite3.Error):
        told = f"the store cannot be used ({error}); look after its disk and its rights"
        return f"{told}; what was committed is kept", StoreError.exit_code
    if isinstance(error, OSError):
        what = f"{error.filename}: " if error.filename else ""
        return (
            f"{what}{error.strerror or type(error).__name__}; mend the path, its rights or disk",
            1,
        )
    # Not the error's own text: it may hold what a person or a secret store said.
    *_, last = traceback.extract_tb(error.__traceback__)
    where = f"{type(error).__name__} in {last.filename}:{last.lineno}"
    return f"a bug of ours or of a plugin: {where}; {_WHOLE}=1 shows all of it", 1
