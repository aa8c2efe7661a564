"""dbt-t2s: turns one dbt project into its own small text-to-SQL model."""

__version__ = "0.1.0"
