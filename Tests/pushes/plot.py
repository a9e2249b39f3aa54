"""The plot of push_vs_poll.py as SVG, by hand: two charts side by side, in colours for light and dark pages."""

STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #24292f; stroke: none }
  .title { font-weight: 600 } .middle { text-anchor: middle } .end { text-anchor: end }
  .grid { stroke: #d0d7de } .axis { stroke: #24292f }
  .pushed { fill: #1a7f37; stroke: #1a7f37 } .polling { fill: #bc4c00; stroke: #bc4c00 }
  @media (prefers-color-scheme: dark) {
    text { fill: #c9d1d9 } .grid { stroke: #30363d } .axis { stroke: #c9d1d9 }
    .pushed { fill: #3fb950; stroke: #3fb950 } .polling { fill: #f0883e; stroke: #f0883e }
  }
  path.pushed, path.polling { fill: none; stroke-width: 2 } .median { stroke-dasharray: 4 3 }
"""
MODES = ("pushed", "polling")
WIDTH, HEIGHT, TOP, BOTTOM = 900, 320, 50, 260


def text(x, y, words, kind=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}">{words}</text>'


def line(x1, y1, x2, y2, kind):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def scale(most):
    """The step of an axis that has three to six of them, and its end."""
    step = 0.001
    while most / step > 6:
        for factor in (2, 2.5, 2):
            step *= factor
            if most / step <= 6:
                break
    return step, step * max(1, -(-most // step))


def axis(left, right, most, unit):
    """Horizontal lines with their numbers; returns them and the height of a value."""
    step, end = scale(most)
    height = lambda value: BOTTOM - (BOTTOM - TOP) * value / end
    parts = []
    for index in range(round(end / step) + 1):
        value = index * step
        parts.append(line(left, height(value), right, height(value), "axis" if index == 0 else "grid"))
        parts.append(text(left - 6, height(value) + 4, f"{value:g}", "end"))
    return parts, height


def bars(results, left, right):
    """The server's processor time for each fan."""
    cost = lambda of: of["process"]["fan_cpu_microseconds"] / 1000
    parts, height = axis(left, right, max(cost(runs[mode]) for _, _, runs in results for mode in MODES), "ms")
    parts.append(text(left, 20, "server’s processor time a fan, from join to end, ms", "title"))
    group = (right - left) / len(results)
    width = group * 0.32
    for index, (name, fans, runs) in enumerate(results):
        middle = left + group * (index + 0.5)
        for mode, x in zip(MODES, (middle - width, middle)):
            value = cost(runs[mode])
            parts.append(
                f'<rect x="{x + 1:.1f}" y="{height(value):.1f}" width="{width - 2:.1f}" '
                f'height="{BOTTOM - height(value):.1f}" class="{mode}"/>')
            parts.append(text(x + width / 2, height(value) - 4, f"{value:.1f}", "middle"))
        parts.append(text(middle, BOTTOM + 18, f"{name}, {fans:,}", "middle"))
    return parts


def staleness(name, fans, runs, left, right):
    """How old what is shown is, against the time that is left until one's turn."""
    bands = {mode: {band["from_seconds"]: band for band in runs[mode]["staleness"]["by_seconds_to_go"]} for mode in MODES}
    starts = sorted({start for mode in MODES for start in bands[mode] if start >= 0}, reverse=True)
    most = max(band["seconds_p99"] for mode in MODES for band in bands[mode].values())
    parts, height = axis(left, right, most, "s")
    parts.append(text(left, 20, f"age of the position on a fan’s screen, s ({name}, {fans:,})", "title"))
    parts.append(text(left, 36, "line: 99th percentile · dashed: median"))
    step = (right - left) / max(1, len(starts))
    place = lambda index: left + step * (index + 0.5)
    for index, start in enumerate(starts):
        label = f"{start:g}–{starts[index - 1]:g}" if index else f"&gt; {start:g}"
        parts.append(text(place(index), BOTTOM + 18, label, "middle"))
    parts.append(text((left + right) / 2, BOTTOM + 36, "seconds until its turn", "middle"))
    for mode in MODES:
        for key, kind in (("seconds_p99", ""), ("seconds_p50", " median")):
            points = [
                f"{place(index):.1f},{height(bands[mode][start][key]):.1f}"
                for index, start in enumerate(starts) if start in bands[mode]
            ]
            parts.append(f'<path d="M{" L".join(points)}" class="{mode}{kind}"/>')
    return parts


def draw(results):
    """The whole picture. The second chart is of the largest crowd that waits."""
    parts = bars(results, 50, 410)
    waits = [result for result in results if result[0] == "wait"]
    if waits:
        parts += staleness(*waits[-1], 500, WIDTH - 20)
    for index, mode in enumerate(MODES):
        x = 50 + index * 90
        parts.append(f'<rect x="{x}" y="{HEIGHT - 16}" width="12" height="12" class="{mode}"/>')
        parts.append(text(x + 18, HEIGHT - 6, mode))
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="Pushed against polling: processor time and staleness">\n<style>{STYLE}</style>\n{body}\n</svg>\n')
