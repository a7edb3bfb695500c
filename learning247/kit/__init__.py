"""Ground that everything may stand on: no tables, no imports of ours."""
