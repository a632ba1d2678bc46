"""A report as one page. The one door to jinja2, which escapes everything that is put in."""

from importlib.resources import files

from tidegate.reports.whole import Whole


def page(report: Whole) -> str:
    """The page, its pictures as `cid:NAME`."""
    from jinja2 import Environment, StrictUndefined

    text = (files("tidegate.reports") / "page.html").read_text("utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.from_string(text).render(vars(report))
