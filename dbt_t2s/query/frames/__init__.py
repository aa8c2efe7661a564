"""What a question asks to be made of the answer to a simpler one, which stands inside it.

"By what percentage did orders grow from 2024 to 2025?" asks for orders in 2025, and for something
to be made of that. The words around the simpler question are a frame: code reads them, the network
answers what is inside, and the frame makes the plan for the whole of it. So people may ask for
what the network was never taught: of 125,000 written questions it learned from, hardly one has
such words.
"""

from __future__ import annotations

from datetime import date

from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.query.frames.changed import changed
from dbt_t2s.query.frames.counted import counted
from dbt_t2s.query.frames.days import on_days
from dbt_t2s.query.frames.frame import Frame
from dbt_t2s.query.frames.growth import growth
from dbt_t2s.query.frames.nth import nth
from dbt_t2s.query.frames.rolling import rolling
from dbt_t2s.query.frames.share_of import share_of
from dbt_t2s.query.frames.share_over import share_over
from dbt_t2s.query.frames.stock_value import stock_value
from dbt_t2s.query.frames.top_share import top_share

__all__ = ["Frame", "frame_of"]


def frame_of(text: str, today: date, schema: ProjectSchema | None = None) -> Frame | None:
    """The frame of a question over that schema; None where it has none."""
    fiscal = schema.fiscal_year if schema else None
    found = changed(text, today, fiscal) or growth(text, today, fiscal)
    if found is None and schema is not None:
        found = stock_value(text, schema)
    if found is None:
        kinds = (top_share, share_over, nth, rolling, on_days, share_of, counted)
        found = next((frame for kind in kinds if (frame := kind(text)) is not None), None)
    return found
