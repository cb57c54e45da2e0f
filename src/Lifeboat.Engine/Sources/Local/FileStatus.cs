using System.Globalization;
using Lifeboat.Engine.Snapshots;

namespace Lifeboat.Engine.Sources.Local;

internal enum FileKind
{
    Regular,
    Folder,
    SymbolicLink,
    Fifo,
    Socket,
    Device,
}

/// <summary>A moment as file systems keep it: seconds since 1970-01-01 UTC (negative before) and nanoseconds after that.</summary>
internal readonly record struct FileTime(long Seconds, int Nanoseconds) : IComparable<FileTime>
{
    private const long FirstSecond = -62_135_596_800; // 0001-01-01, where DateTimeOffset starts
    private const long LastSecond = 253_402_300_799; // 9999-12-31, where it ends

    public static FileTime From(DateTimeOffset time)
    {
        long seconds = time.ToUnixTimeSeconds();
        long ticks = time.UtcTicks - DateTimeOffset.FromUnixTimeSeconds(seconds).UtcTicks;
        return new FileTime(seconds, (int)(ticks * 100));
    }

    /// <summary>The nearest moment that .NET can express, rounded down to 100 ns.</summary>
    public DateTimeOffset ToDateTimeOffset() =>
        DateTimeOffset.FromUnixTimeSeconds(Math.Clamp(Seconds, FirstSecond, LastSecond)).AddTicks(Nanoseconds / 100);

    /// <summary>As mtree(5) writes it: seconds, a full stop, nine digits.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Seconds}.{Nanoseconds:D9}");

    public static bool TryParse(ReadOnlySpan<char> text, out FileTime time)
    {
        time = default;
        int dot = text.IndexOf('.');
        ReadOnlySpan<char> fraction = dot < 0 ? "0" : text[(dot + 1)..];
        if (!long.TryParse(dot < 0 ? text : text[..dot], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long seconds)
            || !int.TryParse(fraction, NumberStyles.None, CultureInfo.InvariantCulture, out int nanoseconds) || nanoseconds > 999_999_999)
            return false;
        time = new FileTime(seconds, nanoseconds);
        return true;
    }

    public int CompareTo(FileTime other) =>
        Seconds == other.Seconds ? Nanoseconds.CompareTo(other.Nanoseconds) : Seconds.CompareTo(other.Seconds);
}

/// <summary>Who owns a file, by number.</summary>
internal readonly record struct Owner(uint Uid, uint Gid)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Uid}:{Gid}");
}

/// <summary>What is to be set on a file; null where it is not to be touched.</summary>
internal readonly record struct FileTraits(int? Mode, Owner? Owner, FileTime? Modified)
{
    private const int SetIds = 0xC00;

    /// <summary>The same without what gives a file another user's rights.</summary>
    public FileTraits WithoutSetIds => this with { Mode = Mode & ~SetIds };

    /// <summary>What of them is taken from a snapshot; see <see cref="VerifiedSnapshot.IsDoubted"/>.</summary>
    public FileTraits TakenFrom(VerifiedSnapshot snapshot) => snapshot.IsDoubted ? WithoutSetIds with { Owner = null } : this;
}

/// <summary>What a file system says of one file, without following a symbolic link.</summary>
/// <param name="Mode">Permission bits with setuid, setgid and sticky; null on Windows.</param>
/// <param name="Owner">Null on Windows.</param>
/// <param name="AllocatedBytes">What it takes on disk; less than <paramref name="Size"/> for a sparse file.</param>
/// <param name="Changed">When its content or traits last changed (ctime).</param>
/// <param name="Links">How many names it has.</param>
/// <param name="IsMountPoint">Whether another file system is mounted here.</param>
internal readonly record struct FileStatus(
    FileKind Kind,
    int? Mode,
    Owner? Owner,
    long Size,
    long AllocatedBytes,
    FileTime Modified,
    FileTime Changed,
    ulong Inode,
    ulong Device,
    uint Links,
    bool IsMountPoint)
{
    public FileTraits Traits => new(Mode, Owner, Modified);

    public bool IsSparse => Kind == FileKind.Regular && AllocatedBytes < Size && Size >= 64 * 1024;

    /// <summary>Whether content and traits are those of an earlier look at the same open file.</summary>
    public bool IsUnchangedSince(FileStatus earlier) => Size == earlier.Size && Modified == earlier.Modified && Changed == earlier.Changed;
}
