using System.CommandLine;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Stores;
using Lifeboat.Engine.Verify;
using Lifeboat.Output;

namespace Lifeboat.Commands;

internal sealed class ShowCommand : Verb
{
    private readonly Argument<string> _snapshot = SnapshotArgument.Create();

    public ShowCommand(ProgramHost host, SharedOptions shared)
        : base(
            "show",
            "Show what a snapshot holds: sources, tables, counts, digests, warnings",
            host,
            shared,
            "lifeboat show latest",
            "lifeboat show 20260301",
            "lifeboat show /media/usb/shop_20260301_020000Z.zip --json") =>
        Add(_snapshot);

    protected override async Task<ExitStatus> RunAsync(ParseResult parsed, CommandRun run, CancellationToken cancellation)
    {
        App? app = await run.FindAppAsync(cancellation);
        StoredSnapshot snapshot = await SnapshotArgument.FindAsync(parsed.GetRequiredValue(_snapshot), [], app, run, cancellation);
        ShownSnapshot shown = await new VerifyOperation(app, run.Context).ShowAsync(snapshot, cancellation);
        foreach (Problem contradiction in shown.Contradictions)
            run.Output.Warn(contradiction);
        ShowDocument document = new(
            snapshot.Id, snapshot.Store, snapshot.Path, snapshot.Bytes, shown.IsEncrypted, shown.Metadata, ProblemDocument.From(run.Output.Warnings));
        run.Output.Show(document, OutputJson.Default.ShowDocument, text => Write(text, snapshot, shown.Metadata, shown.IsEncrypted));
        return run.Conclude();
    }

    internal static void Write(TextReport text, StoredSnapshot snapshot, SnapshotMetadata metadata, bool encrypted)
    {
        text.Line($"Snapshot  {snapshot.Id}")
            .Line($"App       {metadata.App}, from host {metadata.Host}")
            .Line($"Taken     {Quantity.Time(metadata.Timestamp, text.Zone)}, in {Seconds(metadata.ExportDurationSeconds)}; "
                + $"sources at most {Seconds(metadata.CutWidthSeconds)} apart")
            .Line($"Bundle    {snapshot.Path}")
            .Line($"          {Quantity.Bytes(snapshot.Bytes)}, {(encrypted ? "encrypted" : "not encrypted")}, layout {metadata.BackupVersion}, "
                + $"by Lifeboat {metadata.LifeboatVersion}")
            .Line($"Status    {metadata.ExportStatus.Replace('_', ' ')}{Partial(metadata)}{(snapshot.IsAhead ? "; DATED IN THE FUTURE" : "")}")
            .Line();
        text.Table(SourceTable(metadata));
        foreach (SourceMetadata source in metadata.Sources.Where(static source => source.Tables is { Count: > 0 }))
        {
            TextTable tables = new($"Tables of {TextReport.Clean(source.Name)}", ">Rows", ">Size", "Digest");
            foreach (TableMetadata table in source.Tables!)
                tables.Row(table.Name, Quantity.Number(table.Rows), Quantity.Bytes(table.Bytes), Digest(table.Digest));
            text.Line().Table(tables);
        }

        if (metadata.Sources.Any(static source => source.Redacted is not null))
        {
            TextTable left = new("Source", "Left out", "Name", "In its place");
            foreach (SourceMetadata source in metadata.Sources)
                foreach (RedactedMetadata one in source.Redacted ?? [])
                    left.Row(source.Name, one.Kind, one.Name, one.By);
            text.Line().Table(left);
        }

        if (metadata.Warnings.Count > 0)
            text.Line().Line("Warnings of the backup:");
        foreach (WarningMetadata warning in metadata.Warnings)
            text.Wrapped($"  {warning.Code} {(warning.Source is null ? "" : warning.Source + ": ")}{warning.Message}", 9);
    }

    /// <summary>What says that not all of the app is in a snapshot.</summary>
    internal static string Partial(SnapshotMetadata metadata) =>
        metadata.IsPartial ? $"; PARTIAL: without {TextReport.Clean(string.Join(", ", metadata.SourcesLeftOut!))}" : "";

    internal static TextTable SourceTable(SnapshotMetadata metadata)
    {
        TextTable table = new("Source", "Type", "Version", ">Tables", ">Rows", ">Files", ">Size");
        foreach (SourceMetadata source in metadata.Sources)
        {
            table.Row(
                source.Name,
                source.Type,
                Engine(source) ?? "",
                source.Tables is null ? "" : Quantity.Number(source.Tables.Count),
                source.Tables is null ? "" : Quantity.Number(source.Tables.Sum(static t => t.Rows)),
                source.Files == 0 ? "" : Quantity.Number(source.Files),
                Quantity.Bytes(source.Bytes));
        }

        return table.WithoutEmptyColumns();
    }

    /// <summary>The engine's name and version without its packager's remarks in brackets; --json has all of it.</summary>
    internal static string? Engine(SourceMetadata source) => source.Engine?.Split(" (")[0];

    internal static string Seconds(double seconds) => Quantity.Duration(TimeSpan.FromSeconds(seconds));

    /// <summary>Enough of a digest for the eye; --json has all of it.</summary>
    private static string Digest(string digest) => digest[(digest.LastIndexOf(':') + 1)..] is { Length: > 12 } hex ? hex[..12] : digest;
}
