using System.Globalization;
using System.Text;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Local;

namespace Lifeboat.Engine.Sources.Trees;

/// <summary>
/// Reads a manifest that <see cref="MtreeWriter"/> wrote, and trusts nothing: a path that leaves the tree, stands twice or out of
/// order, is below something that is not a folder, or takes its content from elsewhere is damage. So whoever follows the
/// entries never leaves the folder that he starts in.
/// </summary>
/// <param name="manifest">The manifest's snapshot path: <c>files/SOURCE.mtree</c>. The contents are in the folder of the same name.</param>
internal sealed class MtreeReader(Stream stream, string manifest)
{
    private const int LongestLine = 1024 * 1024;
    private static readonly System.Buffers.SearchValues<char> LowerHex = System.Buffers.SearchValues.Create("0123456789abcdef");
    private int _number;

    public IEnumerable<ManifestEntry> Entries(CancellationToken cancellation)
    {
        byte[]? last = null;
        Stack<byte[]> folders = new();
        bool sparse = false;
        foreach (string line in Lines())
        {
            cancellation.ThrowIfCancellationRequested();
            if (line.Length == 0 || line[0] == '#')
            {
                sparse = line == MtreeWriter.SparseMark;
                continue;
            }

            ManifestEntry entry = Parse(line) with { IsSparse = sparse };
            sparse = false;
            CheckPlace(entry, last, folders);
            if (entry.Kind == FileKind.Folder)
                folders.Push(entry.Path);
            last = entry.Path;
            yield return entry;
        }

        if (last is null)
            throw Damaged("it is empty");
    }

    private void CheckPlace(ManifestEntry entry, byte[]? last, Stack<byte[]> folders)
    {
        if (last is null)
        {
            if (!TreePath.IsRoot(entry.Path) || entry.Kind != FileKind.Folder)
                throw Damaged("it does not start with the root folder");
            return;
        }

        if (!entry.Path.AsSpan().StartsWith("./"u8))
            throw Damaged("a path does not start with ./");
        if (!TreePath.IsInside(entry.Path))
            throw Damaged($"the path {Folder.Readable(entry.Path)} is not one inside the tree");
        if (TreePath.Compare(last, entry.Path) >= 0)
            throw Damaged($"the path {Folder.Readable(entry.Path)} stands twice or out of order");
        while (!TreePath.ParentOf(entry.Path).SequenceEqual(folders.Peek()))
        {
            folders.Pop();
            if (folders.Count == 0)
                throw Damaged($"the path {Folder.Readable(entry.Path)} is not inside a folder");
        }
    }

    private ManifestEntry Parse(string line)
    {
        string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Dictionary<string, string> keys = new(StringComparer.Ordinal);
        foreach (string word in words.Skip(1))
        {
            int equals = word.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0 || !keys.TryAdd(word[..equals], word[(equals + 1)..]))
                throw Damaged("a keyword has no value or stands twice");
        }

        FileKind kind = Value(keys, "type") switch
        {
            "file" => FileKind.Regular,
            "dir" => FileKind.Folder,
            "link" => FileKind.SymbolicLink,
            "fifo" => FileKind.Fifo,
            string other => throw Damaged($"the type {other} is unknown"),
        };
        ManifestEntry entry = new(Unescaped(words[0]), kind, Traits(keys))
        {
            User = Text(keys, "uname"),
            Group = Text(keys, "gname"),
            HardLinkId = keys.ContainsKey("inode") ? Number(keys, "inode") : 0,
            Links = keys.ContainsKey("nlink") ? Number(keys, "nlink") : 1,
        };
        return kind switch
        {
            FileKind.Regular => entry with { Size = Number(keys, "size"), Sha256 = Digest(keys), Contents = ContentsPath(keys) },
            FileKind.SymbolicLink => entry with { Target = LinkTarget(keys) },
            FileKind.Folder when entry.HardLinkId != 0 => throw Damaged("a folder has several names"),
            _ => entry,
        };
    }

    private FileTraits Traits(Dictionary<string, string> keys)
    {
        if (!FileTime.TryParse(Value(keys, "time"), out FileTime time))
            throw Damaged("a time is not one");
        Owner? owner = keys.ContainsKey("uid") ? new Owner(Id(keys, "uid"), Id(keys, "gid")) : null;
        int mode = 0;
        foreach (char digit in Value(keys, "mode"))
            mode = digit is >= '0' and <= '7' && mode <= 0xFFF ? (mode << 3) | (digit - '0') : throw Damaged("a mode is not one");
        return mode <= 0xFFF ? new FileTraits(mode, owner, time) : throw Damaged("a mode is not one");
    }

    private string ContentsPath(Dictionary<string, string> keys)
    {
        string path = Text(keys, "contents") ?? throw Damaged("a file has no contents");
        return SnapshotPath.IsValid(path) && path.StartsWith(TreeDetails.ContentsOf(manifest) + "/", StringComparison.Ordinal)
            ? path
            : throw Damaged("a file's contents are not in this source's folder");
    }

    private byte[] LinkTarget(Dictionary<string, string> keys)
    {
        byte[] target = Unescaped(Value(keys, "link"));
        return target.Length > 0 && !target.Contains((byte)0) ? target : throw Damaged("a symbolic link's target is not one");
    }

    private string Digest(Dictionary<string, string> keys)
    {
        string digest = Value(keys, "sha256digest");
        return digest.Length == 64 && !digest.AsSpan().ContainsAnyExcept(LowerHex) ? digest : throw Damaged("a SHA-256 is not one");
    }

    private string Value(Dictionary<string, string> keys, string keyword) =>
        keys.TryGetValue(keyword, out string? value) ? value : throw Damaged($"the keyword {keyword} is missing");

    private string? Text(Dictionary<string, string> keys, string keyword) =>
        keys.TryGetValue(keyword, out string? value) ? Encoding.UTF8.GetString(Unescaped(value)) : null;

    private long Number(Dictionary<string, string> keys, string keyword) =>
        long.TryParse(Value(keys, keyword), NumberStyles.None, CultureInfo.InvariantCulture, out long number)
            ? number
            : throw Damaged($"{keyword} is not a number");

    private uint Id(Dictionary<string, string> keys, string keyword) =>
        uint.TryParse(Value(keys, keyword), NumberStyles.None, CultureInfo.InvariantCulture, out uint number) && number != uint.MaxValue
            ? number
            : throw Damaged($"{keyword} is not a number of an owner"); // the largest number would mean "leave it as it is"

    private byte[] Unescaped(string text)
    {
        byte[] bytes = new byte[text.Length];
        int used = 0;
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\')
            {
                bytes[used++] = (byte)text[i];
                continue;
            }

            int value = 0;
            for (int digit = 1; digit <= 3; digit++)
                value = i + digit < text.Length && text[i + digit] is >= '0' and <= '7' ? (value << 3) | (text[i + digit] - '0') : 256;
            if (value > 255)
                throw Damaged("an escape is not three octal digits");
            bytes[used++] = (byte)value;
            i += 3;
        }

        return bytes[..used];
    }

    /// <summary>The lines as Latin-1 text, so that a character is a byte.</summary>
    private IEnumerable<string> Lines()
    {
        byte[] buffer = new byte[64 * 1024];
        int used = 0;
        while (true)
        {
            int read = stream.Read(buffer, used, buffer.Length - used);
            used += read;
            int start = 0;
            while (buffer.AsSpan(start, used - start).IndexOf((byte)'\n') is >= 0 and int length)
            {
                _number++;
                yield return Encoding.Latin1.GetString(buffer, start, length);
                start += length + 1;
            }

            if (read == 0)
            {
                if (start < used)
                    throw Damaged("the last line has no end");
                yield break;
            }

            buffer.AsSpan(start, used - start).CopyTo(buffer);
            used -= start;
            if (used == buffer.Length)
            {
                if (used >= LongestLine)
                    throw Damaged("a line is too long");
                Array.Resize(ref buffer, buffer.Length * 2);
            }
        }
    }

    private LifeboatException Damaged(string why) => new(
        ErrorCodes.ManifestInvalid,
        $"the file tree's manifest cannot be read: line {_number}: {why}",
        "use another snapshot; this one was altered or damaged",
        manifest);
}
