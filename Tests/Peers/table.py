"""Figures as Markdown."""

MEBIBYTE = 2**20


def best(rows, fast):
    """The fastest variant of the other side with figures; None if there is none."""
    candidates = [row for row in rows[1:] if row.fast == fast and row.rates
                  and not row.lesser]
    return max(candidates, key=lambda row: row.rate, default=None)


def number(value, form="{:.2f}"):
    return form.format(value) if value else ""


def rate(value):
    return "" if not value else f"{value:.0f}" if value >= 100 else f"{value:.1f}"


def detail(case, rows):
    """All rows of one work."""
    ours = rows[0]
    lines = [f"**{case}**", "",
             "| who | images/s | vitdist is faster by | pairs | product rate, GFLOP/s | peak MiB |",
             "| --- | --- | --- | --- | --- | --- |"]
    for row in rows:
        if row.problem:
            lines.append(f"| {row.name} | none: {row.problem} | | | | |")
            continue
        ratio = None if row is ours else row.ratio(ours)
        pairs = len(row.rates) if ratio else None
        lines.append(
            f"| {row.name} | {rate(row.rate)} | {number(ratio)} | {number(pairs, '{}')} "
            f"| {rate(row.facts.get('gemmGflops'))} "
            f"| {number(row.facts.get('peakRssBytes', 0) / MEBIBYTE, '{:.0f}')} |")
    return "\n".join(lines) + "\n"


SUMMARY = ("| work | vitdist, images/s | best other | its images/s | faster by "
           "| with fast products | faster by | product rates, GFLOP/s | peak MiB |\n"
           "| --- | --- | --- | --- | --- | --- | --- | --- | --- |")


def summary(case, rows):
    """One line for one work: against the best variant, and the best with the fast products."""
    ours, common, fast = rows[0], best(rows, False), best(rows, True)
    if ours.problem:
        return f"| {case} | none: {ours.problem} | | | | | | | |"
    if case.work == "memory":
        least = min((row.facts["peakRssBytes"] for row in rows[1:] if not row.problem), default=0)
        mine = ours.facts["peakRssBytes"]
        part = f"{mine / least:.2f} of the memory" if least else ""
        return (f"| {case} | | | | {part} | | | "
                f"| {mine / MEBIBYTE:.0f} : {least / MEBIBYTE:.0f} |")
    shown = [row for row in (ours, common, fast) if row]
    products = " : ".join(
        rate(row.facts["gemmGflops"]) for row in shown if row.facts.get("gemmGflops"))
    peaks = " : ".join(
        f"{row.facts['peakRssBytes'] / MEBIBYTE:.0f}" for row in shown
        if row.facts.get("peakRssBytes"))
    cells = [str(case), rate(ours.rate)]
    cells += [common.name, rate(common.rate), number(common.ratio(ours))] if common else [""] * 3
    # Kept only where it helps.
    helps = fast and (not common or fast.rate > common.rate)
    cells += [f"{fast.name}: {rate(fast.rate)}", number(fast.ratio(ours))] if helps else [""] * 2
    return "| " + " | ".join([*cells, products, peaks]) + " |"
