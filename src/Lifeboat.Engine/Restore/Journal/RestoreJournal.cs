using System.Text.Json;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Runs;
using Lifeboat.Engine.Sources;
using Lifeboat.Engine.Storage;
using Lifeboat.Engine.Trust;

namespace Lifeboat.Engine.Restore.Journal;

/// <summary>
/// The journal of one restore or undo: JSON lines, each on the disk before the step that it names is taken. A last line that is cut off was never taken for
/// written, so its step was not taken either. The file is there as long as there is something to take back, to bring to its end, or to undo.
/// </summary>
internal sealed class RestoreJournal : IDisposable
{
    private const string Extension = ".journal";
    private const int ReservedBytes = 64 * 1024;

    private readonly RunContext _run;
    private readonly string _path;
    private readonly FileStream _file;
    private readonly List<JournalEntry> _entries;

    private RestoreJournal(RunContext run, string path, FileStream file, List<JournalEntry> entries)
    {
        _run = run;
        _path = path;
        _file = file;
        _entries = entries;
    }

    public JournalHeader Header => _entries[0].Header!;

    public DateTimeOffset Began => _entries[0].At;

    public bool IsUndo => _entries[0].Step == JournalStep.Undo;

    public bool IsCommitted => Reached(JournalStep.Committed) is not null;

    public bool IsFinished => Reached(JournalStep.Finished) is not null;

    public bool IsDiscarding => Reached(JournalStep.Discard) is not null;

    /// <summary>The last step that was begun; where a source leaves its record is not one by itself.</summary>
    public JournalEntry Last => _entries.Last(static entry => entry.Step != JournalStep.Record);

    /// <summary>When a step was reached, of a source or of all; null where it was not.</summary>
    public DateTimeOffset? Reached(JournalStep step, string? source = null) =>
        _entries.LastOrDefault(entry => entry.Step == step && (source is null || entry.Source == source))?.At;

    /// <summary>The last record of a source's switch; null where it left nothing behind.</summary>
    public JsonElement? RecordOf(string source) =>
        _entries.LastOrDefault(entry => entry.Step == JournalStep.Record && entry.Source == source)?.Record;

    /// <summary>The sources that left something behind, in the order of the switches, with their last records.</summary>
    public IReadOnlyList<(JournalSource Source, JsonElement Record)> Records =>
        [.. Header.Sources.Select(source => (source, RecordOf(source.Name))).Where(static one => one.Item2 is not null).Select(static one => (one.source, one.Item2!.Value))];

    /// <summary>Begins a journal; it is on the disk when this returns.</summary>
    /// <param name="folder">The app's state folder.</param>
    /// <exception cref="LifeboatException">It cannot be written.</exception>
    public static RestoreJournal Begin(string folder, JournalStep step, JournalHeader header, RunContext run)
    {
        string path = Path.Combine(folder, header.Id + Extension);
        try
        {
#pragma warning disable CA2000 // the journal disposes it
            RestoreJournal journal = new(run, path, PrivateFile.Create(path, FileShare.Read | FileShare.Delete, ReservedBytes), []);
#pragma warning restore CA2000
            try
            {
                journal.Write(new JournalEntry(step, run.Host.Time.GetUtcNow()) { Header = header });
                if (!OperatingSystem.IsWindows())
                    UnixFiles.FlushFolder(folder);
                return journal;
            }
            catch
            {
                journal.Dispose();
                File.Delete(path); // nothing was begun
                throw;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw StorageErrors.Writing(e, "the restore's journal", path);
        }
    }

    /// <summary>Opens the journals of an app, the oldest first.</summary>
    /// <param name="onlyRead">Whether they are only looked at: another process may be writing one.</param>
    /// <exception cref="LifeboatException">Somebody else may have written one, or it cannot be read, or is of a newer version.</exception>
    public static IReadOnlyList<RestoreJournal> OpenAll(string folder, RunContext run, bool onlyRead = false)
    {
        if (!StateFolder.IsThere(folder, run.Host))
            return [];
        List<RestoreJournal> journals = [];
        try
        {
            foreach (string path in Directory.EnumerateFiles(folder, "*" + Extension))
            {
#pragma warning disable CA2000 // the caller disposes them
                if (Open(path, run, onlyRead) is { } journal)
                    journals.Add(journal);
#pragma warning restore CA2000
            }
        }
        catch
        {
            journals.ForEach(static journal => journal.Dispose());
            throw;
        }

        return [.. journals.OrderBy(static journal => journal.Began)];
    }

    /// <summary>A source's part of the restore, with its records going into this journal.</summary>
    public RestoreRun RunOf(string source) => new(Header.Id)
    {
        RecordAsync = (record, _) =>
        {
            Write(JournalStep.Record, source, record);
            return Task.CompletedTask;
        },
    };

    public void Write(JournalStep step, string? source = null, JsonElement? record = null) =>
        Write(new JournalEntry(step, _run.Host.Time.GetUtcNow(), source) { Record = record });

    /// <summary>The journal has done its service: nothing of its restore is left to be taken back or undone.</summary>
    public void Delete() => _run.Step("delete the journal", () =>
    {
        File.Delete(_path);
        if (!OperatingSystem.IsWindows())
            UnixFiles.FlushFolder(Path.GetDirectoryName(_path)!);
    });

    public void Dispose() => _file.Dispose();

    private void Write(JournalEntry entry)
    {
        long before = _file.Position;
        try
        {
            _run.Step($"journal: {entry.Step} {entry.Source}".TrimEnd(), () =>
            {
                _file.Write(JsonSerializer.SerializeToUtf8Bytes(entry, JournalJson.Default.JournalEntry));
                _file.Write("\n"u8);
                _file.Flush(flushToDisk: true);
            });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            TakeBack(before);
            throw StorageErrors.Writing(e, "the restore's journal", _path);
        }

        _entries.Add(entry);
    }

    /// <summary>A line that may or may not be on the disk must not be: what follows counts on the step not being taken.</summary>
    private void TakeBack(long length)
    {
        try
        {
            _file.SetLength(length);
            _file.Position = length;
            _file.Flush(flushToDisk: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LifeboatException(
                ErrorCodes.JournalUncertain, $"the restore's journal cannot be written, and whether its last line is on the disk is not known: {e.Message}",
                "when the disk works again, run `lifeboat restore --status`: the next command brings the restore to its end, or takes it back", _path, e);
        }
    }

    private static RestoreJournal? Open(string path, RunContext run, bool onlyRead)
    {
        FileStreamOptions options = new()
        {
            Mode = FileMode.Open, Access = onlyRead ? FileAccess.Read : FileAccess.ReadWrite, Share = FileShare.ReadWrite | FileShare.Delete,
        };
        FileStream file = new FileTrust(run.Host).OpenFile(path, "the restore's journal", options);
        try
        {
            (List<JournalEntry> entries, int end) = Read(path, file);
            if (!onlyRead)
                CutOff(file, end);
            if (entries.Count > 0)
                return new RestoreJournal(run, path, file, entries);
            file.Dispose();
            if (!onlyRead)
                File.Delete(path); // not even its first line was written: nothing was begun
            return null;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Removes a line that was never finished.</summary>
    private static void CutOff(FileStream file, int end)
    {
        file.SetLength(end);
        file.Position = end;
    }

    /// <summary>Reads the whole lines.</summary>
    private static (List<JournalEntry> Entries, int End) Read(string path, FileStream file)
    {
        List<JournalEntry> entries = [];
        byte[] bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        int start = 0;
        for (int end; (end = Array.IndexOf(bytes, (byte)'\n', start)) >= 0; start = end + 1)
        {
            try
            {
                JournalEntry entry = JsonSerializer.Deserialize(bytes.AsSpan(start, end - start), JournalJson.Default.JournalEntry) ?? throw new JsonException("a line is null");
                if (entries.Count == 0 && entry.Header is null)
                    throw new JsonException("the first line does not say what the journal is of");
                entries.Add(entry);
            }
            catch (JsonException e)
            {
                throw new LifeboatException(
                    ErrorCodes.JournalDamaged, $"line {entries.Count + 1} of the restore's journal cannot be read: {e.Message}",
                    "journals are not to be edited; what has __before_ in its name is the state before a restore, what has __staging_ was never live", path, e);
            }
        }

        if (entries.Count > 0 && entries[0].Header!.Id != Path.GetFileNameWithoutExtension(path))
            throw new LifeboatException(
                ErrorCodes.JournalDamaged, "the restore's journal is not the one that its name says", "journals are not to be edited or renamed", path);
        if (entries.Count > 0 && entries[0].Header!.Version > JournalHeader.CurrentVersion)
            throw new LifeboatException(
                ErrorCodes.JournalDamaged, $"the restore's journal was written by Lifeboat {entries[0].Header!.LifeboatVersion}, in a form that this version does not know",
                "use that version or a newer one", path);
        return (entries, start);
    }
}
