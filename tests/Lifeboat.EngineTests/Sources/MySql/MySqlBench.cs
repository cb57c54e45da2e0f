using System.Text;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Secrets;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Engine.Sources.MySql;
using Lifeboat.EngineTests.Sources.Postgres;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.MySql;

/// <summary>What tests of the MySQL source share: capture into a folder, restore from it, all steps.</summary>
internal sealed class MySqlBench : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private SourceMetadata? _captured;

    public MySqlBench(int workers = 2)
    {
        Directory.CreateDirectory(_folder["temp"]);
        Directory.CreateDirectory(_folder["snapshot"]);
        Host = new TestHost(_folder["temp"], workers);
        Snapshot = new FolderSnapshot(_folder["snapshot"]);
    }

    public TestHost Host { get; }

    public FolderSnapshot Snapshot { get; }

    public string Folder => _folder["snapshot"];

    public string Instructions { get; private set; } = "";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public MySqlSource Source(MySqlSettings settings, ISecretResolver? secrets = null, long partBytes = 64 << 20) =>
        new(settings, null, Host.Context, secrets ?? new NoSecrets()) { PartBytes = partBytes };

    public Task<VerifiedSnapshot> CaptureAsync(MySqlSettings settings, ISecretResolver? secrets = null, long partBytes = 64 << 20) =>
        CaptureAsync(Source(settings, secrets, partBytes));

    public async Task<VerifiedSnapshot> CaptureAsync(MySqlSource source)
    {
        await using ICapture capture = await source.OpenAsync(Cancellation);
        _captured = await capture.WriteAsync(Snapshot, Cancellation);
        Instructions = capture.Instructions;
        return await Snapshot.FinishAsync(_captured);
    }

    /// <summary>The captured snapshot with texts in its files exchanged, as if another version of the server had printed them.</summary>
    public async Task<VerifiedSnapshot> EditedAsync(params (string File, string From, string To)[] edits)
    {
        foreach ((string file, string from, string to) in edits)
        {
            string path = Path.Combine(Folder, "databases", _captured!.Name, file);
            string text = await File.ReadAllTextAsync(path, Encoding.Latin1, Cancellation);
            Assert.Contains(from, text, StringComparison.Ordinal);
            await File.WriteAllTextAsync(path, text.Replace(from, to, StringComparison.Ordinal), Encoding.Latin1, Cancellation);
        }

        return await Snapshot.FinishAsync(_captured!);
    }

    public IRestoration Restoration(VerifiedSnapshot snapshot, MySqlSettings settings, string id = "testid", ISecretResolver? secrets = null) =>
        Source(settings, secrets).PrepareRestore(snapshot, snapshot.Metadata.Sources[0], new RestoreRun(id));

    /// <summary>All steps, each of which must succeed.</summary>
    public async Task<IRestoration> RestoreAsync(VerifiedSnapshot snapshot, MySqlSettings settings, string id = "testid")
    {
        IRestoration restoration = Restoration(snapshot, settings, id);
        RestorePlan plan = await restoration.PlanAsync(Cancellation);
        Assert.Equal([], plan.Blockers);
        await restoration.StageAsync(Cancellation);
        AssertPassed(await restoration.VerifyAsync(Cancellation));
        await restoration.CommitAsync(Cancellation);
        await restoration.Switch.FinishAsync(Cancellation);
        return restoration;
    }

    public static void AssertPassed(VerifyReport report)
    {
        Assert.NotEmpty(report.Checks);
        string failed = string.Join('\n', report.Checks.Where(static check => !check.Passed).Select(static c => $"{c.Subject}: expected {c.Expected}, found {c.Found}"));
        Assert.True(failed.Length == 0, failed);
    }

    public void Dispose() => _folder.Dispose();
}
