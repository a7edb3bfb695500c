"""`python -m learning247.drill [name …]`: each on databases of its own; quick, or in full with FULL=1.

Ends with a table of what was promised and what was seen, and with 1 where they differ.
"""

import argparse
import os
import sys
import time

import django

from learning247 import embedded


def main() -> int:
    # Set, not defaulted: importing the project has already named the settings that it runs on.
    os.environ["DJANGO_SETTINGS_MODULE"] = "learning247.drill.settings"
    os.environ.setdefault("LOG_LEVEL", "CRITICAL")
    # The servers stand before the settings are read, and Django before any model is imported.
    embedded.ensure_running(embedded.VAR / "drill")
    django.setup()
    from learning247.drill import chaos, crashes, orders, reconcile, splits, stage, withdrawals  # noqa: PLC0415
    from learning247.drill.findings import measured, table  # noqa: PLC0415

    drills = {
        "splits": splits,
        "chaos": chaos,
        "orders": orders,
        "crashes": crashes,
        "reconcile": reconcile,
        "withdrawals": withdrawals,
    }
    parser = argparse.ArgumentParser(prog="python -m learning247.drill", description=__doc__)
    parser.add_argument("drills", nargs="*", metavar="drill", help=f"of {', '.join(drills)}; without: all")
    names = parser.parse_args().drills or list(drills)
    if unknown := set(names) - set(drills):
        parser.error(f"no such drill: {', '.join(sorted(unknown))}")
    full = os.environ.get("FULL", "") == "1"
    findings = []
    # Migrated once; each drill has a copy of it.
    with stage.scratch_database():
        for name in names:
            print(f"{name}: {(drills[name].__doc__ or '').splitlines()[0]}", flush=True)  # noqa: T201
            start = time.perf_counter()
            findings += [(name, finding) for finding in drills[name].run(full=full)]
            findings.append((name, measured("it took", f"{time.perf_counter() - start:.0f} s")))
    print(f"\n{table(findings)}")  # noqa: T201
    return 0 if all(finding.holds for _, finding in findings) else 1


if __name__ == "__main__":
    sys.exit(main())
