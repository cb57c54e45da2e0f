using System.Security.Cryptography;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Backup;
using Lifeboat.Engine.Bundles;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Secrets;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Engine.Storage;

namespace Lifeboat.Engine.RestoreCheck;

/// <summary>
/// A snapshot of one source's definitions without its rows, in a temporary bundle. That has roles' password hashes in it, so it is encrypted with a password that
/// is nowhere but in this process, and goes with this object.
/// </summary>
internal sealed class DefinitionsSnapshot : IAsyncDisposable
{
    private readonly string _path;

    private DefinitionsSnapshot(string path, VerifiedSnapshot snapshot)
    {
        _path = path;
        Snapshot = snapshot;
    }

    public VerifiedSnapshot Snapshot { get; }

    public SourceMetadata Source => Snapshot.Metadata.Sources[0];

    /// <summary>Takes one; null where the source has no definitions that a restore would run.</summary>
    /// <exception cref="Errors.LifeboatException">The source cannot be captured, or the temporary folder cannot be written to.</exception>
    public static async Task<DefinitionsSnapshot?> TakeAsync(App app, ISource source, RunContext run, CancellationToken cancellation)
    {
        await using ICapture? capture = await source.OpenDefinitionsAsync(cancellation);
        if (capture is null)
            return null;
        string path = Path.Combine(run.Host.TempDirectory, $"definitions-{run.Host.NewId()}.zip");
        byte[] random = new byte[32];
        run.Host.FillRandom(random);
        Secret password = new(Convert.ToHexString(random));
        CryptographicOperations.ZeroMemory(random);
        try
        {
            await WriteAsync(app, path, password, capture, run, cancellation);
            BundleReader bundle = await BundleReader.OpenAsync(path, password, cancellation);
#pragma warning disable CA2000 // what is returned disposes it
            return new DefinitionsSnapshot(path, await VerifiedSnapshot.OpenAsync(bundle, cancellation));
#pragma warning restore CA2000
        }
        catch
        {
            File.Delete(path);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Snapshot.DisposeAsync();
        File.Delete(_path);
    }

    private static async Task WriteAsync(App app, string path, Secret password, ICapture capture, RunContext run, CancellationToken cancellation)
    {
        DateTimeOffset started = run.Host.Time.GetUtcNow();
        await using PartialFile file = PartialFile.Create(path, run.Host);
        await using BundleWriter bundle = new(file.Stream, new BundleOptions(app.Compression, password, run.Host));
        SnapshotCompletion writer = new(bundle, started);
        SourceMetadata source = await capture.WriteAsync(writer, cancellation);
        SnapshotMetadata metadata = new()
        {
            BackupVersion = SnapshotMetadata.CurrentVersion,
            App = app.Name,
            Timestamp = started,
            LifeboatVersion = run.Host.LifeboatVersion,
            Host = run.Host.HostName,
            ExportStatus = "complete",
            ExportDurationSeconds = 0,
            CutWidthSeconds = 0,
            Encryption = "zip-aes256",
            Warnings = [],
            Sources = [source],
        };
        await writer.AddOwnFilesAsync(metadata, "", "", cancellation);
        await bundle.CompleteAsync(cancellation);
        await file.CommitAsync(cancellation);
    }
}
