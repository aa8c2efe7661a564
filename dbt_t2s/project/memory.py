"""What a project's SQL and its metrics were found to say, carried from one run to the next."""

from __future__ import annotations

from dataclasses import dataclass

from dbt_t2s.project.asked import Asked
from dbt_t2s.project.metrics import Answer
from dbt_t2s.project.node_sql import NodeSql


@dataclass
class Memory:
    """Readings of an earlier run; ``distill`` puts this run's in their place."""

    nodes: tuple[NodeSql, ...] = ()
    asked: tuple[Asked, ...] = ()
    answers: tuple[Answer, ...] = ()

    def keep(
        self, nodes: tuple[NodeSql, ...], asked: tuple[Asked, ...], answers: tuple[Answer, ...]
    ) -> None:
        """Takes this run's readings in place of the earlier ones."""
        self.nodes, self.asked, self.answers = nodes, asked, answers
