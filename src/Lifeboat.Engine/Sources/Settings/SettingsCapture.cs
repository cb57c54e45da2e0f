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
        IReadOnlyList<RedactedMetadata>? left = null;
        await FileFailure.TellAsync(settings.Name, async () =>
        {
            if (settings.Redact.Count > 0)
                left = await CaptureRedactedAsync(writer, files, cancellation);
            else
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
            Redacted = left,
            Details = JsonSerializer.SerializeToElement(details, SettingsJson.Default.SettingsDetails),
        };
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>All files' texts without the values that are left out.</summary>
    /// <exception cref="LifeboatException">A name is nowhere, or its value would be captured all the same.</exception>
    public (IReadOnlyList<(SettingsText Text, FileStatus Status)> Files, IReadOnlyList<RedactedMetadata> Left) ReadRedacted(CancellationToken cancellation)
    {
        List<(SettingsText Text, FileStatus Status)> files = [.. settings.Files.Select(path => Read(path, cancellation))];
        return (files, new SettingsRedaction(settings, run).Apply([.. files.Select(static file => file.Text)]));
    }

    private async Task<IReadOnlyList<RedactedMetadata>> CaptureRedactedAsync(ISnapshotWriter writer, List<SettingsFile> files, CancellationToken cancellation)
    {
        (IReadOnlyList<(SettingsText Text, FileStatus Status)> texts, IReadOnlyList<RedactedMetadata> left) = ReadRedacted(cancellation);
        foreach ((SettingsText text, FileStatus status) in texts)
        {
            string recorded = SettingsPaths.Recorded(settings.Directory, text.Path);
            string target = SettingsPaths.InSnapshot(settings.Name, recorded);
            byte[] bytes = text.Bytes;
            EntryReceipt receipt = await writer.AddAsync(
                new EntryHeader(target, status.Modified.ToDateTimeOffset(), 0b110_000_000, bytes.Length),
                async (stream, token) => await stream.WriteAsync(bytes, token),
                cancellation);
            files.Add(new SettingsFile(recorded, target, receipt.Bytes, receipt.Sha256, CapturedTraits.Of(status, _names)) { Parents = CapturedParents.Of(text.Path) });
        }

        return left;
    }

    private (SettingsText Text, FileStatus Status) Read(string path, CancellationToken cancellation)
    {
        (Folder parent, byte[] name) = Open(path);
        using (parent)
        {
            for (int attempt = 1; ; attempt++)
            {
                using SafeFileHandle file = parent.OpenFile(name);
                FileStatus before = RegularStatus(parent, file, name, path);
                if (before.Size > SettingsRedaction.MostBytes)
                    throw new FileFailure(FileTrouble.Other, $"{path} is too large to have values left out of it (more than {SettingsRedaction.MostBytes >> 20} MiB)");
                using MemoryStream content = new();
                bool same = LiveFile.Copy(parent, name, file, before, content, _meter, cancellation);
                if (!same && attempt < LiveFile.Attempts)
                    continue;
                if (!same)
                    WarnOfChange(path);
                return (new SettingsText(path, content.ToArray()), before);
            }
        }
    }

    private static (Folder Parent, byte[] Name) Open(string path)
    {
        string real = new FileInfo(path).LinkTarget is null ? path : File.ResolveLinkTarget(path, returnFinalTarget: true)!.FullName;
        return (Folder.Open(Path.GetDirectoryName(real)!), Folder.Name(Path.GetFileName(real)));
    }

    private static FileStatus RegularStatus(Folder parent, SafeFileHandle file, byte[] name, string path)
    {
        FileStatus status = parent.StatusOf(file, name);
        return status.Kind == FileKind.Regular ? status : throw new FileFailure(FileTrouble.WrongKind, $"{path} is not a regular file");
    }

    private void WarnOfChange(string path) => run.Progress.Report(new Warned(settings.Name, new Problem(
        ErrorCodes.FileChanging,
        $"{path} was being written to while it was read; the snapshot has it as it was last read",
        "capture it while nothing writes to it",
        settings.Name)));

    private async Task<SettingsFile> CaptureAsync(ISnapshotWriter writer, string path, CancellationToken cancellation)
    {
        (Folder opened, byte[] name) = Open(path);
        using Folder parent = opened;
        for (int attempt = 1; ; attempt++)
        {
            using SafeFileHandle file = parent.OpenFile(name);
            FileStatus before = RegularStatus(parent, file, name, path);
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
            WarnOfChange(path);
        return new SettingsFile(recorded, target, receipt.Bytes, receipt.Sha256, CapturedTraits.Of(before, _names)) { Parents = CapturedParents.Of(path) };
    }

    private Task<EntryReceipt> CaptureEnvironmentAsync(ISnapshotWriter writer, CancellationToken cancellation)
    {
        byte[] text = EnvironmentFile.Write(settings.Environment.Select(name => (name, settings.Redact.Contains(name) ? null : run.Host.Variables[name])));
        EntryHeader header = new($"settings/{settings.Name}/{SettingsPaths.EnvironmentFileName}", CutAt, 0b110_000_000, text.Length);
        _meter.Add(text.Length);
        return writer.AddAsync(header, async (stream, token) => await stream.WriteAsync(text, token), cancellation);
    }
}
