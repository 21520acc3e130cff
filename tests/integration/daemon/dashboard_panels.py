"""The dashboards of deploy/grafana as a test needs them: their panels, their queries with the variables replaced, and their pictures."""

import importlib.util
import json
import math
import re

from harness import ROOT

FOLDER = ROOT / "deploy" / "grafana"
NAMES = ("officer", "operator")
# What Grafana would put in place of its variables: all of each, and four scrapes, but no less than the little time that a test has.
VARIABLES = {"__rate_interval": "30s", "__interval": "1s", "__range": "1h"}
METRIC = re.compile(r"\b((?:consentd|grpc|process)_\w+)\{")
COLOURS = {"green": "#3a9d4f", "yellow": "#d9a400", "orange": "#e07b1a", "red": "#cc3340"}


def generator():
    """The script that writes the dashboards, as a module."""
    found = importlib.util.spec_from_file_location("make_dashboards", FOLDER / "make_dashboards.py")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def load(name):
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def panels(name):
    """Those that have queries, in the order of the page."""
    return [panel for panel in load(name)["panels"] if panel["type"] != "row"]


def expressions(panel):
    return [(target["expr"], target["legendFormat"]) for target in panel["targets"]]


def metrics(expression):
    """Those that it names; a histogram by its own name."""
    return {re.sub(r"(_seconds)_(bucket|sum|count)$", r"\1", name) for name in METRIC.findall(expression)}


def substituted(expression, dashboard):
    """With everything that its variables may stand for."""
    values = dict(VARIABLES)
    values.update({variable["name"]: variable["allValue"] for variable in dashboard["templating"]["list"] if variable["type"] == "query"})
    return re.sub(r"\$(\w+)", lambda found: values[found[1]], expression)


def legend(template, labels):
    return re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), template).strip() or "value"


def shown(value, unit):
    """A value as Grafana would write it, more or less."""
    if math.isnan(value):
        return "none"
    if unit == "dateTimeAsIso":
        import datetime
        return datetime.datetime.fromtimestamp(value / 1000, datetime.timezone.utc).strftime("%Y-%m-%d %H:%M")
    if unit == "percentunit":
        return f"{100 * value:.3g} %"
    if unit == "s":
        for size, word in ((86_400, "days"), (3_600, "h"), (60, "min")):
            if abs(value) >= 2 * size:
                return f"{value / size:.3g} {word}"
        return f"{1000 * value:.3g} ms" if abs(value) < 1 else f"{value:.3g} s"
    if unit in ("bytes", "Bps"):
        for size, word in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
            if abs(value) >= size:
                return f"{value / size:.3g} {word}"
    return f"{value:.4g}"


def colour(panel, value):
    steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    chosen = steps[0]["color"]
    for step in steps[1:]:
        if value >= step["value"]:
            chosen = step["color"]
    return COLOURS[chosen]


class Picture:
    """Draws one panel into a matplotlib axes, from what Prometheus answered: (legend, value) now, or (legend, points) over time."""

    MOST = 14  # bars and lines; Grafana scrolls, a sheet cannot

    def __init__(self, axes, panel):
        self.axes, self.panel, self.unit = axes, panel, panel["fieldConfig"]["defaults"]["unit"]
        axes.set_title(panel["title"], fontsize=8, loc="left", fontweight="bold", wrap=True)
        axes.tick_params(labelsize=6)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)

    def draw(self, now, over):
        if not now and not over:
            self.say("no data")
        elif self.panel["type"] == "stat":
            self.figures(now)
        elif self.panel["type"] == "bargauge":
            self.bars(now)
        else:
            self.lines(over)

    def say(self, text):
        self.axes.set_axis_off()
        self.axes.text(0.5, 0.45, text, ha="center", va="center", fontsize=8, color="grey", transform=self.axes.transAxes)

    def figures(self, now):
        self.axes.set_axis_off()
        rows = now[:4]
        if self.panel["options"]["textMode"] == "name":
            return self.axes.text(0.5, 0.5, "\n".join(name[:24] for name, _ in rows), ha="center", va="center", fontsize=11, transform=self.axes.transAxes)
        for index, (name, value) in enumerate(rows):
            height = 1 - (index + 0.5) / len(rows)
            size = 15 if len(rows) < 3 else 10
            self.axes.text(0.48, height, shown(value, self.unit), ha="right", va="center", fontsize=size, color=colour(self.panel, value), transform=self.axes.transAxes)
            self.axes.text(0.52, height, name, ha="left", va="center", fontsize=7, color="dimgrey", transform=self.axes.transAxes)

    def bars(self, now):
        # What is not zero first, so that it is seen.
        rows = sorted(now, key=lambda row: (row[1] == 0, row[0]))
        left_out = len(rows) - self.MOST
        rows = rows[:self.MOST][::-1]
        places = range(len(rows))
        self.axes.barh(places, [value for _, value in rows], color=[colour(self.panel, value) for _, value in rows], height=0.6)
        self.axes.set_yticks(list(places), [name for name, _ in rows])
        for place, (_, value) in zip(places, rows):
            self.axes.text(max(value, 0), place, "  " + shown(value, self.unit), va="center", fontsize=6)
        self.axes.set_xticks([])
        self.axes.spines["bottom"].set_visible(False)
        self.axes.margins(x=0.25)
        # One bar alone is no wall.
        self.axes.set_ylim(min(0, len(rows) - 6) - 0.5, len(rows) - 0.5)
        if left_out > 0:
            self.axes.set_xlabel(f"and {left_out} more", fontsize=6)

    def lines(self, over):
        rows = sorted(over, key=lambda row: -max(value for _, value in row[1]))
        begin = min(points[0][0] for _, points in rows)
        for name, points in rows[:self.MOST]:
            self.axes.plot([at - begin for at, _ in points], [value for _, value in points], linewidth=1, label=name)
        for step in self.panel["fieldConfig"]["defaults"]["thresholds"]["steps"][1:]:
            if self.axes.get_ylim()[1] >= step["value"]:
                self.axes.axhline(step["value"], color=COLOURS[step["color"]], linewidth=0.6, linestyle="--")
        if self.panel["fieldConfig"]["defaults"]["min"] == 0:
            self.axes.set_ylim(bottom=0)
        # Room for the legend above the lines.
        self.axes.set_ylim(top=self.axes.get_ylim()[0] + 1.5 * (self.axes.get_ylim()[1] - self.axes.get_ylim()[0]))
        self.axes.yaxis.set_major_formatter(lambda value, _: shown(value, self.unit))
        self.axes.set_xlabel("seconds" + (f"; and {len(rows) - self.MOST} more" if len(rows) > self.MOST else ""), fontsize=6)
        self.axes.legend(fontsize=5, loc="upper left", frameon=False, ncol=2 if len(rows) > 6 else 1)


def contact_sheet(path, title, drawn):
    """`drawn`: (panel, now, over) of each panel. A palette keeps the file small."""
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import lines, pyplot

    columns = 4
    rows = math.ceil(len(drawn) / columns)
    figure, axes = pyplot.subplots(rows, columns, figsize=(5 * columns, 2.3 * rows), squeeze=False)
    for place, all_axes in enumerate(axes.flat):
        if place < len(drawn):
            panel, now, over = drawn[place]
            Picture(all_axes, panel).draw(now, over)
        else:
            all_axes.set_axis_off()
    figure.suptitle(title, fontsize=12, y=0.999)
    figure.tight_layout(rect=(0, 0, 1, 0.99), h_pad=2, w_pad=2)
    # A line between panels, so that a figure belongs to its question.
    for part in range(1, rows):
        top = axes[part - 1][0].get_tightbbox(figure.canvas.get_renderer()).y0
        bottom = axes[part][0].get_tightbbox(figure.canvas.get_renderer()).y1
        height = figure.transFigure.inverted().transform((0, (top + bottom) / 2))[1]
        figure.add_artist(lines.Line2D((0.01, 0.99), (height, height), color="lightgrey", linewidth=0.8))
    figure.savefig(path, dpi=72)
    pyplot.close(figure)
