using System.Globalization;
using System.Net;
using System.Text;

namespace Lifeboat.Engine.Restore.Evidence;

/// <summary>A restore's evidence as one self-contained HTML page, without scripts.</summary>
internal static class EvidencePage
{
    private const string Style = """
        :root { color-scheme: light dark; --line: #d0d7de; --soft: #f6f8fa; --text: #1f2328; --faint: #59636e; --good: #1a7f37; --bad: #cf222e; --back: #fff }
        @media (prefers-color-scheme: dark) { :root { --line: #3d444d; --soft: #151b23; --text: #e6edf3; --faint: #9198a1; --good: #3fb950; --bad: #f85149; --back: #0d1117 } }
        body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back); max-width: 70rem; margin: 2rem auto; padding: 0 1.25rem }
        h1 { font-size: 1.5rem; margin: 0 0 .25rem } h2 { font-size: 1.15rem; margin: 2.25rem 0 .5rem }
        .verdict { font-size: 1.1rem; font-weight: 600; padding: .75rem 1rem; border-radius: .5rem; border: 1px solid currentColor; margin: 1rem 0 }
        .good { color: var(--good) } .bad { color: var(--bad) } .faint { color: var(--faint) }
        table { border-collapse: collapse; width: 100%; margin: .5rem 0 } th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top }
        th { font-weight: 600; background: var(--soft) } td.number, th.number { text-align: right; font-variant-numeric: tabular-nums }
        td.value { font-family: ui-monospace, monospace; font-size: .85em; overflow-wrap: anywhere } summary { cursor: pointer; margin: .5rem 0 } ul { margin: .25rem 0; padding-left: 1.25rem }
        dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: 0 } dt { color: var(--faint) } dd { margin: 0; overflow-wrap: anywhere }
        .scroll { overflow-x: auto } @media print { details { display: block } }
        """;

    public static string Write(RestoreEvidence evidence)
    {
        StringBuilder page = new();
        bool restored = evidence.Outcome == "restored";
        string title = $"Restore of {evidence.App}, {Time(evidence.Began)}";
        page.Append("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
        page.Append(CultureInfo.InvariantCulture, $"<title>{Text(title)}</title>\n<style>\n{Style}\n</style>\n</head>\n<body>\n<h1>{Text(title)}</h1>\n");
        page.Append(restored
            ? $"<p class=\"verdict good\">Restored and proven: {Count(evidence.Checks, "comparison")} with what was captured, no difference.</p>\n"
            : $"<p class=\"verdict bad\">Not restored: {(evidence.Errors.Count > 0 ? Text(evidence.Errors[0].Message) : "it failed")}. What was live is unchanged, unless an error below says otherwise.</p>\n");
        Facts(page,
            ("Snapshot", $"{evidence.Snapshot}, taken {Time(evidence.SnapshotTaken)} on {evidence.SnapshotHost}"),
            ("Restored on", evidence.Host),
            ("Took", string.Create(CultureInfo.InvariantCulture, $"{(evidence.Ended - evidence.Began).TotalSeconds:0.0} s, until {Time(evidence.Ended)}")),
            ("Restore", $"{evidence.RestoreId}, by Lifeboat {evidence.LifeboatVersion}"));
        Summary(page, evidence);
        Problems(page, "Errors", evidence.Errors);
        Problems(page, "Warnings", evidence.Warnings);
        foreach (EvidenceSource source in evidence.Sources)
            Source(page, source);
        return page.Append("</body>\n</html>\n").ToString();
    }

    private static void Summary(StringBuilder page, RestoreEvidence evidence)
    {
        page.Append("<h2>Sources</h2>\n<div class=\"scroll\"><table>\n<tr><th>Source</th><th>Type</th><th>Restored into</th><th class=\"number\">Tables</th><th class=\"number\">Rows</th><th class=\"number\">Files</th><th class=\"number\">Checks</th><th>Result</th></tr>\n");
        foreach (EvidenceSource source in evidence.Sources)
        {
            int different = source.Checks.Count(static check => !check.Passed);
            string result = source.Checks.Count == 0 ? "<span class=\"faint\">not compared</span>"
                : different == 0 ? "<span class=\"good\">&#10003; equal</span>" : $"<span class=\"bad\">&#10007; {Number(different)} different</span>";
            page.Append(CultureInfo.InvariantCulture, $"<tr><td>{Text(source.Name)}</td><td>{Text(source.Engine ?? source.Type)}</td><td>{Text(source.Target)}</td><td class=\"number\">{Number(source.Tables)}</td><td class=\"number\">{Number(source.Rows)}</td><td class=\"number\">{Number(source.Files)}</td><td class=\"number\">{Number(source.Checks.Count)}</td><td>{result}</td></tr>\n");
        }

        page.Append("</table></div>\n");
    }

    private static void Problems(StringBuilder page, string title, IReadOnlyList<EvidenceProblem> problems)
    {
        if (problems.Count == 0)
            return;
        page.Append(CultureInfo.InvariantCulture, $"<h2>{title}</h2>\n<ul>\n");
        foreach (EvidenceProblem problem in problems)
            page.Append(CultureInfo.InvariantCulture, $"<li>{(problem.Where is null ? "" : Text(problem.Where) + ": ")}{Text(problem.Message)} <span class=\"faint\">({problem.Code}; {Text(problem.Hint)})</span></li>\n");
        page.Append("</ul>\n");
    }

    private static void Source(StringBuilder page, EvidenceSource source)
    {
        page.Append(CultureInfo.InvariantCulture, $"<h2>{Text(source.Name)}</h2>\n");
        (string, string)[] parts = source.Parts is null ? [] : [("Parts", source.Parts)];
        Facts(page,
        [
            .. parts,
            ("Restored into", source.Target),
            ("State before", source.KeptAs is not null ? $"kept as {source.KeptAs}" : source.Parts is null ? "there was none" : "nothing was replaced"),
            ("Time", string.Join(", ", source.Timings.Select(static one => string.Create(CultureInfo.InvariantCulture, $"{one.Phase} {one.Seconds:0.0} s")))),
        ]);
        if (source.Done.Count > 0)
            page.Append("<ul>\n" + string.Concat(source.Done.Select(static step => $"<li>{Text(step)}</li>\n")) + "</ul>\n");
        if (source.Merged is { } merged)
            page.Append("<div class=\"scroll\"><table>\n<tr><th>Merged</th><th class=\"number\">Added</th><th class=\"number\">Equal</th><th class=\"number\">Different</th><th>Left as they are</th></tr>\n"
                + string.Concat(merged.Select(static one => $"<tr><td>{Text(one.Subject)}</td><td class=\"number\">{Number(one.Added)}</td><td class=\"number\">{Number(one.Equal)}</td><td class=\"number\">{Number(one.Different)}</td><td class=\"value\">{Text(string.Join(", ", one.Examples))}</td></tr>\n"))
                + "</table></div>\n");
        if (source.Checks.Count == 0)
            return;
        bool equal = source.Checks.All(static check => check.Passed);
        page.Append(CultureInfo.InvariantCulture, $"<details{(equal ? "" : " open=\"open\"")}>\n<summary>{Count(source.Checks.Count, "comparison")}</summary>\n<div class=\"scroll\"><table>\n<tr><th>What</th><th>Expected</th><th>Found</th><th></th></tr>\n");
        foreach (EvidenceCheck check in source.Checks.OrderBy(static check => check.Passed))
        {
            page.Append(CultureInfo.InvariantCulture, $"<tr><td>{Text(check.Subject)}</td><td class=\"value\">{Text(check.Expected)}</td><td class=\"value\">{(check.Passed ? "<span class=\"faint\">the same</span>" : Text(check.Found))}</td><td>{(check.Passed ? "<span class=\"good\">&#10003;</span>" : "<span class=\"bad\">&#10007;</span>")}</td></tr>\n");
        }

        page.Append("</table></div>\n</details>\n");
    }

    private static void Facts(StringBuilder page, params (string Name, string Value)[] facts)
    {
        page.Append("<dl>\n");
        foreach ((string name, string value) in facts)
            page.Append(CultureInfo.InvariantCulture, $"<dt>{name}</dt><dd>{Text(value)}</dd>\n");
        page.Append("</dl>\n");
    }

    private static string Text(string text) => WebUtility.HtmlEncode(text);

    private static string Number(long? number) => number?.ToString("N0", CultureInfo.InvariantCulture) ?? "";

    private static string Count(long number, string noun) => $"{Number(number)} {noun}{(number == 1 ? "" : "s")}";

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) + " UTC";
}
