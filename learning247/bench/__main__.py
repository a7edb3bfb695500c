"""`python -m learning247.bench [http|ledger|prove|webhooks|settlements|sign-in|sign-in-load|all]`, each on its data.

Without a kind: `http`, then `ledger`. Ratios within one run are what counts; absolute figures are the machine's.
"""

import argparse
import os
import sys

import django

from learning247 import embedded


def main() -> None:
    # Set, not defaulted: importing the project has already named the settings that it runs on.
    os.environ["DJANGO_SETTINGS_MODULE"] = "learning247.bench.settings"
    # The servers stand before the settings are read, and Django before any model is imported.
    embedded.ensure_running(embedded.VAR / "bench")
    django.setup()
    from learning247.bench import http, ledger, proof, settlements, sign_in, sign_in_load, webhooks  # noqa: PLC0415
    from learning247.bench.scratch import scratch_database  # noqa: PLC0415

    modules = {
        "http": http,
        "ledger": ledger,
        "prove": proof,
        "webhooks": webhooks,
        "settlements": settlements,
        "sign-in": sign_in,
        "sign-in-load": sign_in_load,
    }
    parser = argparse.ArgumentParser(prog="python -m learning247.bench", description=__doc__)
    kinds = parser.add_subparsers(required=True)
    for name, module in modules.items():
        kind = kinds.add_parser(name, help=(module.__doc__ or "").splitlines()[0])
        module.add_arguments(kind)
        kind.set_defaults(kinds=[name])
    for name, these in {"usual": ["http", "ledger"], "all": list(modules)}.items():
        kind = kinds.add_parser(name, help=f"{', '.join(these)}; the options are those of http")
        http.add_arguments(kind)
        kind.set_defaults(kinds=these)

    given = sys.argv[1:]
    named = bool(given) and (given[0] in kinds.choices or given[0] in ("-h", "--help"))
    arguments = parser.parse_args(given if named else ["usual", *given])
    for name in arguments.kinds:
        print(f"\n=== {name}: {(modules[name].__doc__ or '').splitlines()[0]}", flush=True)  # noqa: T201
        with scratch_database(name):
            modules[name].run(arguments if len(arguments.kinds) == 1 or name == "http" else parser.parse_args([name]))
    skipped = [name for name in modules if name not in arguments.kinds]
    if skipped:
        print(f"\nNot measured: {', '.join(skipped)} (ARGS=all measures everything).")  # noqa: T201


if __name__ == "__main__":
    main()
