using System.Globalization;
using System.Text;
using Lifeboat.Engine.Sources.Local;

namespace Lifeboat.Engine.Sources.Trees;

/// <summary>
/// Writes a tree's manifest as mtree(5), the format of FreeBSD and libarchive that <c>bsdtar</c> reads: one line of full path and
/// keywords for each file, whatever could be mistaken as <c>\ooo</c>. The comment <c>#sparse</c> marks the line after it.
/// </summary>
internal sealed class MtreeWriter(Stream stream)
{
    public const string SparseMark = "#sparse";
    private const string Safe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+,:@%~^";
    private static readonly System.Buffers.SearchValues<byte> SafeBytes = System.Buffers.SearchValues.Create(Encoding.ASCII.GetBytes(Safe));
    private readonly StringBuilder _line = new();

    public void WriteHeader() => Write(
        "#mtree v2.0\n# A file tree captured by Lifeboat; contents= is relative to the snapshot's folder.\n");

    public void Write(ManifestEntry entry)
    {
        _line.Clear();
        if (entry.IsSparse)
            _line.Append(SparseMark).Append('\n');
        AppendEscaped(entry.Path);
        Append("type", TypeOf(entry.Kind));
        Append("mode", "0" + Convert.ToString(entry.Traits.Mode ?? DefaultMode(entry.Kind), 8));
        if (entry.Traits.Owner is { } owner)
        {
            Append("uid", owner.Uid.ToString(CultureInfo.InvariantCulture));
            Append("gid", owner.Gid.ToString(CultureInfo.InvariantCulture));
        }

        AppendText("uname", entry.User);
        AppendText("gname", entry.Group);
        Append("time", entry.Traits.Modified.GetValueOrDefault().ToString());
        if (entry.HardLinkId != 0)
        {
            Append("nlink", entry.Links.ToString(CultureInfo.InvariantCulture));
            Append("inode", entry.HardLinkId.ToString(CultureInfo.InvariantCulture));
        }

        if (entry.Kind == FileKind.Regular)
        {
            Append("size", entry.Size.ToString(CultureInfo.InvariantCulture));
            Append("sha256digest", entry.Sha256!);
            AppendText("contents", entry.Contents);
        }

        if (entry.Target is { } target)
        {
            _line.Append(" link=");
            AppendEscaped(target);
        }

        Write(_line.Append('\n').ToString());
    }

    public static string TypeOf(FileKind kind) => kind switch
    {
        FileKind.Regular => "file",
        FileKind.Folder => "dir",
        FileKind.SymbolicLink => "link",
        FileKind.Fifo => "fifo",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    private static int DefaultMode(FileKind kind) => kind switch
    {
        FileKind.Folder => 0b111_101_101,
        FileKind.SymbolicLink => 0b111_111_111,
        _ => 0b110_100_100,
    };

    private void Append(string keyword, string value) => _line.Append(' ').Append(keyword).Append('=').Append(value);

    private void AppendText(string keyword, string? value)
    {
        if (value is null)
            return;
        _line.Append(' ').Append(keyword).Append('=');
        AppendEscaped(Encoding.UTF8.GetBytes(value));
    }

    private void AppendEscaped(ReadOnlySpan<byte> bytes)
    {
        foreach (byte value in bytes)
        {
            if (SafeBytes.Contains(value))
                _line.Append((char)value);
            else
                _line.Append('\\').Append(Digit(value >> 6)).Append(Digit(value >> 3)).Append(Digit(value));
        }
    }

    private static char Digit(int value) => (char)('0' + (value & 7));

    private void Write(string text) => stream.Write(Encoding.ASCII.GetBytes(text));
}
