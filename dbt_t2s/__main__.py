"""``python -m dbt_t2s`` is ``dbt-t2s``."""

from dbt_t2s.cli import main

if __name__ == "__main__":
    main()
