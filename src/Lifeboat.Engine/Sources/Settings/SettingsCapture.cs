using System.Text.Json;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Local;
using Microsoft.Win32.SafeHandles;

namespace Lifeboat.Engine.Sources.Settings;

/// <summary>Captures settings files and variables.</summary>
internal sealed class SettingsCapture(SettingsSettings settings, RunContext run) : ICapture
{
    private readonly ByteMeter _meter = new(run.Progress, settings.Name, Phase.Capture);
    private readonly OwnerNames _names = new();
    private string? _instructions;

    public DateTimeOffset CutAt { get; } = run.Host.Time.GetUtcNow();

    public long EstimatedBytes { get; } = settings.Files.Sum(static file => new FileInfo(file).Length) + (settings.Environment.Count * 100);

    public long TemporaryBytes => 0;

    public string Instructions => _instructions ?? throw new InvalidOperationException("nothing is written yet");

    public async Task<SourceMetadata> WriteAsync(ISnapshotWriter writer, CancellationToken cancellation)
    {
        List<SettingsFile> files = [];
        await FileFailure.TellAsync(settings.Name, async () =>
        {
            foreach (string path in settings.Files)
                files.Add(await CaptureAsync(writer, path, cancellation));
        });
        EntryReceipt? environment = settings.Environment.Count == 0 ? null : await CaptureEnvironmentAsync(writer, cancellation);
        _meter.Flush();
        SettingsDetails details = new()
        {
            Directory = settings.Directory,
            Files = files,
            Environment = settings.Environment,
            EnvironmentFile = environment?.Path,
        };
        _instructions = SettingsInstructions.Write(settings.Name, details);
        return new SourceMetadata
        {
            Name = settings.Name,
            Type = settings.Type,
            Cut = new CutMetadata(CutAt),
            Bytes = files.Sum(static file => file.Bytes) + (environment?.Bytes ?? 0),
            Files = files.Count + (environment is null ? 0 : 1),
            Details = JsonSerializer.SerializeToElement(details, SettingsJson.Default.SettingsDetails),
        };
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async Task<SettingsFile> CaptureAsync(ISnapshotWriter writer, string path, CancellationToken cancellation)
    {
        string real = new FileInfo(path).LinkTarget is null ? path : File.ResolveLinkTarget(path, returnFinalTarget: true)!.FullName;
        using Folder parent = Folder.Open(Path.GetDirectoryName(real)!);
        byte[] name = Folder.Name(Path.GetFileName(real));
        for (int attempt = 1; ; attempt++)
        {
            using SafeFileHandle file = parent.OpenFile(name);
            FileStatus before = parent.StatusOf(file, name);
            if (before.Kind != FileKind.Regular)
                throw new FileFailure(FileTrouble.WrongKind, $"{path} is not a regular file");
            try
            {
                return await AddAsync(writer, path, parent, name, file, before, mustSettle: attempt < LiveFile.Attempts, cancellation);
            }
            catch (ChangedWhileRead)
            {
                // Once more.
            }
        }
    }

    private async Task<SettingsFile> AddAsync(
        ISnapshotWriter writer,
        string path,
        Folder parent,
        byte[] name,
        SafeFileHandle file,
        FileStatus before,
        bool mustSettle,
        CancellationToken cancellation)
    {
        string recorded = SettingsPaths.Recorded(settings.Directory, path);
        string target = SettingsPaths.InSnapshot(settings.Name, recorded);
        bool changed = false;
        EntryReceipt receipt = await writer.AddAsync(
            new EntryHeader(target, before.Modified.ToDateTimeOffset(), 0b110_000_000, before.Size),
            (stream, token) =>
            {
                changed = !LiveFile.Copy(parent, name, file, before, stream, _meter, token);
                return changed && mustSettle ? Task.FromException(new ChangedWhileRead()) : Task.CompletedTask;
            },
            cancellation);
        if (changed)
            run.Progress.Report(new Warned(settings.Name, new Problem(
                ErrorCodes.FileChanging,
                $"{path} was being written to while it was read; the snapshot has it as it was last read",
                "capture it while nothing writes to it",
                settings.Name)));
        return new SettingsFile(recorded, target, receipt.Bytes, receipt.Sha256, CapturedTraits.Of(before, _names));
    }

    private Task<EntryReceipt> CaptureEnvironmentAsync(ISnapshotWriter writer, CancellationToken cancellation)
    {
        byte[] text = EnvironmentFile.Write(settings.Environment.Select(name => (name, run.Host.Variables[name])));
        EntryHeader header = new($"settings/{settings.Name}/{SettingsPaths.EnvironmentFileName}", CutAt, 0b110_000_000, text.Length);
        _meter.Add(text.Length);
        return writer.AddAsync(header, async (stream, token) => await stream.WriteAsync(text, token), cancellation);
    }
}
