using System.CommandLine;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Restore;
using Lifeboat.Engine.Stores;
using Lifeboat.Output;

namespace Lifeboat.Commands;

internal sealed class ListCommand : Verb
{
    private readonly Option<int> _limit = new("--limit")
    {
        Description = "Show only the newest N snapshots",
        HelpName = "N",
        CustomParser = static result =>
        {
            if (int.TryParse(result.Tokens[0].Value, out int limit) && limit > 0)
                return limit;
            result.AddError("--limit wants a number of at least 1");
            return 0;
        },
    };

    public ListCommand(ProgramHost host, SharedOptions shared)
        : base(
            "list",
            "List the snapshots in the app's stores, newest first",
            host,
            shared,
            "lifeboat list",
            "lifeboat list --limit 5",
            "lifeboat list --json") =>
        Add(_limit);

    protected override async Task<ExitStatus> RunAsync(ParseResult parsed, CommandRun run, CancellationToken cancellation)
    {
        App app = await run.LoadAppAsync(cancellation);
        IReadOnlyList<StoredSnapshot> all = await new StoreCatalog(app, run.Context).ListAsync(cancellation);
        StoredSnapshot[] shown = [.. all.Take(parsed.GetResult(_limit) is null ? int.MaxValue : parsed.GetValue(_limit))];
        IReadOnlyList<PastRestore> past = await new StatusOperation(app, run.Context).RunAsync(cancellation);
        ListDocument document = new(
            app.Name, [.. shown.Select(Document)], [.. past.Select(PastRestoreText.Document)], ProblemDocument.From(run.Output.Warnings));
        run.Output.Show(document, OutputJson.Default.ListDocument, text =>
        {
            Write(text, app, shown, all.Count);
            PastRestoreText.Write(text, past);
        });
        return run.Conclude();
    }

    internal static SnapshotDocument Document(StoredSnapshot snapshot) => new(
        snapshot.Id,
        snapshot.Metadata?.App,
        snapshot.Store,
        snapshot.Path,
        snapshot.Timestamp.ToUniversalTime(),
        snapshot.Bytes,
        snapshot.IsEncrypted,
        snapshot.Metadata?.ExportStatus,
        snapshot.Metadata?.Sources.Select(static source => source.Name).ToArray(),
        snapshot.Metadata?.SourcesLeftOut,
        snapshot.Metadata?.Host,
        snapshot.IsElsewhere,
        snapshot.IsAhead);

    private static void Write(TextReport text, App app, StoredSnapshot[] shown, int total)
    {
        if (total == 0)
        {
            text.Line($"There are no snapshots of {app.Name} yet; `lifeboat backup` makes one.");
            return;
        }

        TextTable table = new("Snapshot", "Taken", ">Size", "Store", "Status");
        foreach (StoredSnapshot snapshot in shown)
        {
            table.Row(
                snapshot.Id, Quantity.Time(snapshot.Timestamp, text.Zone), Quantity.Bytes(snapshot.Bytes), snapshot.Store,
                string.Join(", ", [.. Marks(app, snapshot), Status(snapshot)]));
        }

        text.Table(table);
        text.Line(shown.Length == total ? Quantity.Count(total, "snapshot") : $"{shown.Length} of {Quantity.Count(total, "snapshot")}");
    }

    private static IEnumerable<string> Marks(App app, StoredSnapshot snapshot)
    {
        if (app.Password is not null && snapshot.IsEncrypted == false)
            yield return "NOT ENCRYPTED";
        if (snapshot.IsAhead)
            yield return "IN THE FUTURE";
        if (snapshot.Metadata?.IsPartial == true)
            yield return $"PARTIAL (without {TextReport.Clean(string.Join(", ", snapshot.Metadata.SourcesLeftOut!))})";
        if (snapshot.IsElsewhere)
            yield return $"made elsewhere (host {TextReport.Clean(snapshot.Metadata!.Host)})";
    }

    private static string Status(StoredSnapshot snapshot) => snapshot.Metadata switch
    {
        null => "unknown",
        { ExportStatus: "complete" } => "complete",
        { Warnings.Count: var warnings } => Quantity.Count(warnings, "warning"),
    };
}
