using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Output;

namespace Lifeboat.Tests.Output;

/// <summary>The literal JSON that programs rely on: a changed line here is a changed contract.</summary>
public sealed class JsonLiteralTests
{
    private static readonly ProblemDocument SomeProblem = new("LB7003", "full", "free space", null);

    [Fact]
    public void Status_is_pinned() => Pinned(
        new StatusMessage(1.5, 10, 40, 25, [new PhaseStatus("main", "capture", 10, 40, 7, 4)]),
        OutputJson.Default.StatusMessage,
        """{"message_type":"status","seconds_elapsed":1.5,"bytes_done":10,"bytes_total":40,"percent_done":25,"running":[{"source":"main","phase":"capture","bytes_done":10,"bytes_total":40,"bytes_per_second":7,"seconds_remaining":4}]}""");

    [Fact]
    public void Warning_is_pinned() => Pinned(
        new WarningMessage("LB5001", "file-changed", "m", "h", "files"),
        OutputJson.Default.WarningMessage,
        """{"message_type":"warning","code":"LB5001","name":"file-changed","message":"m","hint":"h","where":"files"}""");

    [Fact]
    public void Error_is_pinned() => Pinned(
        new ErrorMessage("LB8001", "locked", "m", "h", null, 11),
        OutputJson.Default.ErrorMessage,
        """{"message_type":"error","code":"LB8001","name":"locked","message":"m","hint":"h","where":null,"exit_status":11}""");

    [Fact]
    public void Doctor_is_pinned() => Pinned(
        new DoctorDocument("shop", false, [new FindingDocument("source main (postgres)", false, [SomeProblem], [])], []),
        OutputJson.Default.DoctorDocument,
        """{"app":"shop","ok":false,"findings":[{"subject":"source main (postgres)","ok":false,"blockers":[{"code":"LB7003","message":"full","hint":"free space","where":null}],"warnings":[]}],"warnings":[]}""");

    [Fact]
    public void List_is_pinned() => Pinned(
        new ListDocument("shop", [new SnapshotDocument("20261121_020000Z", "shop", "local", "/b/x.zip", DateTimeOffset.UnixEpoch, 5, true, "complete", ["main"], ["files"], "web1", false, false)], [Past()], []),
        OutputJson.Default.ListDocument,
        """{"app":"shop","snapshots":[{"id":"20261121_020000Z","app":"shop","store":"local","path":"/b/x.zip","timestamp":"1970-01-01T00:00:00+00:00","bytes":5,"encrypted":true,"export_status":"complete","sources":["main"],"sources_left_out":["files"],"host":"web1","made_elsewhere":false,"in_the_future":false}],"restores":[PAST],"warnings":[]}""".Replace("PAST", PastText, StringComparison.Ordinal));

    [Fact]
    public void The_status_of_restores_is_pinned() => Pinned(
        new StatusDocument("shop", [Past()]), OutputJson.Default.StatusDocument, $$"""{"app":"shop","restores":[{{PastText}}]}""");

    [Fact]
    public void Undo_summary_is_pinned() => Pinned(
        new UndoSummary("u1", "r1", "shop", [new KeptDocument("main", "database \"b\"", null)], 0.5, 3),
        OutputJson.Default.UndoSummary,
        """{"message_type":"summary","undo_id":"u1","undoes":"r1","app":"shop","restored":[{"source":"main","kept_as":"database \u0022b\u0022","bytes":null}],"duration_seconds":0.5,"exit_status":3}""");

    [Fact]
    public void Discard_summary_is_pinned() => Pinned(
        new DiscardSummary("shop", [Past()], 5, 0.5, 0),
        OutputJson.Default.DiscardSummary,
        $$"""{"message_type":"summary","app":"shop","discarded":[{{PastText}}],"bytes":5,"duration_seconds":0.5,"exit_status":0}""");

    private const string PastText = """{"id":"r1","kind":"undo","undoes":"r0","snapshot":"20261121_020000Z","began":"1970-01-01T00:00:00+00:00","state":"kept","reached":"at its end","kept":[{"source":"files","kept_as":"/x","bytes":5}]}""";

    private static PastRestoreDocument Past() =>
        new("r1", "undo", "r0", "20261121_020000Z", DateTimeOffset.UnixEpoch, "kept", "at its end", [new KeptDocument("files", "/x", 5)]);

    [Fact]
    public void Show_is_pinned() => Pinned(
        new ShowDocument("id", "local", "/b/x.zip", 5, false, Metadata(), []),
        OutputJson.Default.ShowDocument,
        """{"id":"id","store":"local","path":"/b/x.zip","bytes":5,"encrypted":false,"metadata":{"backup_version":"1.0.0","app":"shop","timestamp":"1970-01-01T00:00:00+00:00","lifeboat_version":"1.2.3","host":"h","host_id":null,"export_status":"complete","export_duration_seconds":1.5,"cut_width_seconds":0.25,"encryption":"none","warnings":[],"sources":[{"name":"main","type":"postgres","engine":"PostgreSQL 15","tools":null,"cut":{"at":"1970-01-01T00:00:00+00:00","position":"0/1"},"bytes":7,"files":1,"tables":[{"name":"public.t","rows":2,"bytes":7,"digest":"xxh64x2-sum-v1:0","paths":["databases/main/data/public.t.copy"]}],"redacted":null,"details":null}],"sources_left_out":null},"warnings":[]}""");

    [Fact]
    public void Backup_summary_is_pinned() => Pinned(
        new BackupSummary(false, "shop", "/b/x.zip", "complete", 7, 5, 1.5, 0.25, [new SourceSummary("main", "postgres", "PostgreSQL 15", 7, 1, 1, 2)], 0, 0),
        OutputJson.Default.BackupSummary,
        """{"message_type":"summary","dry_run":false,"app":"shop","bundle_path":"/b/x.zip","export_status":"complete","bytes":7,"bundle_bytes":5,"duration_seconds":1.5,"cut_width_seconds":0.25,"sources":[{"name":"main","type":"postgres","engine":"PostgreSQL 15","bytes":7,"files":1,"tables":1,"rows":2}],"warnings":0,"exit_status":0}""");

    [Fact]
    public void Verify_summary_is_pinned() => Pinned(
        new VerifySummary("id", "/b/x.zip", false, 3, 7, 1, 0.5, 2, 0, null, 4),
        OutputJson.Default.VerifySummary,
        """{"message_type":"summary","id":"id","path":"/b/x.zip","ok":false,"files_checked":3,"bytes_checked":7,"tables_checked":1,"duration_seconds":0.5,"problems":2,"warnings":0,"sources_left_out":null,"exit_status":4}""");

    [Fact]
    public void Plan_is_pinned() => Pinned(
        new PlanMessage(
            "rid", "id", "shop", false, [SomeProblem],
            [new SourcePlan("files", "files", "/srv/files", true, "/srv/files__before_rid", ["s"], new Dictionary<string, long> { ["/srv"] = 9 }, [], [])],
            [],
            []),
        OutputJson.Default.PlanMessage,
        """{"message_type":"plan","restore_id":"rid","id":"id","app":"shop","authentic":false,"doubts":[{"code":"LB7003","message":"full","hint":"free space","where":null}],"sources":[{"name":"files","type":"files","target":"/srv/files","replaces":true,"kept_as":"/srv/files__before_rid","steps":["s"],"bytes_needed":{"/srv":9},"blockers":[],"warnings":[]}],"blockers":[],"warnings":[]}""");

    [Fact]
    public void Restore_summary_is_pinned() => Pinned(
        new RestoreSummary(
            false, true, "rid", "shop", 2.5, [new RestoredSource("files", "/srv/files", null, 12, [new DifferenceDocument("s", "a", "b")], [new MergedDocument("table t", 1, 2, 3, ["(4)"])])], "/srv/.lifeboat/evidence/rid.html", 0, 1, 3),
        OutputJson.Default.RestoreSummary,
        """{"message_type":"summary","dry_run":false,"committed":true,"restore_id":"rid","app":"shop","duration_seconds":2.5,"sources":[{"name":"files","target":"/srv/files","kept_as":null,"checks":12,"differences":[{"subject":"s","expected":"a","found":"b"}],"merged":[{"subject":"table t","added":1,"equal":2,"different":3,"examples":["(4)"]}]}],"evidence":"/srv/.lifeboat/evidence/rid.html","blockers":0,"warnings":1,"exit_status":3}""");

    [Fact]
    public void Demo_is_pinned()
    {
        Pinned(new DemoStep(2, "t", 0.5), OutputJson.Default.DemoStep, """{"message_type":"step","step":2,"title":"t","seconds_elapsed":0.5}""");
        Pinned(
            new DemoSummary(true, false, [new DemoCheck("w", "a", "a", true)], 3.5, 0),
            OutputJson.Default.DemoSummary,
            """{"message_type":"summary","identical":true,"with_postgres":false,"checks":[{"what":"w","before":"a","after":"a","identical":true}],"duration_seconds":3.5,"exit_status":0}""");
    }

    [Fact]
    public void A_run_writes_lines_that_are_json_each_with_warnings_once_and_secrets_never()
    {
        ProgramFixture program = new();
        using JsonOutput output = program.Json();
        Problem warning = new(ErrorCodes.StorageFailed, "postgresql://u:secret@h/d\nsecond line", "h");
        output.Report(new PhaseStarted("main", Phase.Capture, 100));
        program.Time.Advance(1);
        output.Report(new BytesDone("main", Phase.Capture, 50));
        output.Tick();
        output.Report(new Warned("main", warning));
        output.Warn(warning with { Where = "main" });
        output.Fail([warning], ExitStatus.Failed);

        string[] lines = program.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["status", "warning", "error"], lines.Select(static line => JsonDocument.Parse(line).RootElement.GetProperty("message_type").GetString()!));
        Assert.Contains("\"percent_done\":50,", lines[0], StringComparison.Ordinal);
        Assert.Contains("\"bytes_per_second\":50,", lines[0], StringComparison.Ordinal);
        Assert.Contains("\"where\":\"main\"", lines[1], StringComparison.Ordinal);
        Assert.DoesNotContain("secret", program.Out + program.Error, StringComparison.Ordinal);
    }

    private static SnapshotMetadata Metadata() => new()
    {
        BackupVersion = "1.0.0",
        App = "shop",
        Timestamp = DateTimeOffset.UnixEpoch,
        LifeboatVersion = "1.2.3",
        Host = "h",
        ExportStatus = "complete",
        ExportDurationSeconds = 1.5,
        CutWidthSeconds = 0.25,
        Encryption = "none",
        Warnings = [],
        Sources =
        [
            new SourceMetadata
            {
                Name = "main",
                Type = "postgres",
                Engine = "PostgreSQL 15",
                Cut = new CutMetadata(DateTimeOffset.UnixEpoch, "0/1"),
                Bytes = 7,
                Files = 1,
                Tables = [new TableMetadata("public.t", 2, 7, "xxh64x2-sum-v1:0", ["databases/main/data/public.t.copy"])],
            },
        ],
    };

    private static void Pinned<T>(T message, JsonTypeInfo<T> type, string literal) => Assert.Equal(literal, JsonSerializer.Serialize(message, type));
}
