using System.Buffers.Binary;
using System.Text;
using Lifeboat.Engine.Snapshots;

namespace Lifeboat.Engine.Bundles;

/// <summary>Reads the central directory (APPNOTE 4.3.12), and refuses whatever a Lifeboat bundle cannot have.</summary>
internal static class ZipDirectory
{
    private const ushort KnownFlags = Zip.Encrypted | Zip.DeflateLevel | Zip.HasDescriptor | Zip.Utf8Names;
    private const int DefaultMode = 0b110_100_100;

    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    /// <summary>All entries, in the directory's order.</summary>
    public static List<BundleEntry> Read(BundleFile file, CancellationToken cancellation)
    {
        ZipEndRecords end = ZipEndRecords.Find(file);
        List<BundleEntry> entries = [];
        HashSet<string> names = new(StringComparer.Ordinal);
        Window window = new(file, end.DirectoryOffset, end.DirectoryBytes);
        for (long i = 0; i < end.Entries; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            BundleEntry entry = ReadRecord(window);
            if (!names.Add(entry.Path))
                throw BundleProblems.Damaged("two entries have the same name", entry.Path);
            entries.Add(entry);
        }

        if (window.Left > 0)
            throw BundleProblems.Damaged("its central directory has more than its entries");
        if (FolderConflicts.Find(names) is { } conflict)
            throw BundleProblems.Damaged("an entry is both a file and a folder", conflict);
        if (entries.Any(entry => entry.IsEncrypted != entries[0].IsEncrypted))
            throw BundleProblems.Damaged("some of its entries are encrypted and others are not");
        SetLimits(entries, end.DirectoryOffset);
        return entries;
    }

    /// <summary>Whether the first entry is encrypted; null where there is none.</summary>
    public static bool? FirstIsEncrypted(BundleFile file)
    {
        ZipEndRecords end = ZipEndRecords.Find(file);
        return end.Entries == 0 ? null : ReadRecord(new Window(file, end.DirectoryOffset, end.DirectoryBytes)).IsEncrypted;
    }

    private static void SetLimits(List<BundleEntry> entries, long directoryOffset)
    {
        BundleEntry[] ordered = [.. entries.OrderBy(static entry => entry.Offset)];
        for (int i = 0; i < ordered.Length; i++)
        {
            BundleEntry entry = ordered[i];
            entry.Limit = i + 1 < ordered.Length ? ordered[i + 1].Offset : directoryOffset;
            long least = Zip.LocalHeaderBytes + entry.NameBytes;
            if (entry.Offset > entry.Limit - least || entry.Listed.StoredBytes > entry.Limit - entry.Offset - least)
                throw BundleProblems.Damaged("entries overlap each other or the directory", entry.Path);
        }
    }

    private static BundleEntry ReadRecord(Window window)
    {
        ReadOnlySpan<byte> record = window.Peek(Zip.CentralHeaderBytes);
        if (BinaryPrimitives.ReadUInt32LittleEndian(record) != Zip.CentralHeader)
            throw BundleProblems.Damaged("its central directory cannot be read");
        int nameBytes = BinaryPrimitives.ReadUInt16LittleEndian(record[28..]);
        int extraBytes = BinaryPrimitives.ReadUInt16LittleEndian(record[30..]);
        int commentBytes = BinaryPrimitives.ReadUInt16LittleEndian(record[32..]);
        record = window.Take(Zip.CentralHeaderBytes + nameBytes + extraBytes + commentBytes);
        ushort flags = BinaryPrimitives.ReadUInt16LittleEndian(record[8..]);
        string path = Name(record.Slice(Zip.CentralHeaderBytes, nameBytes), flags);
        CheckKind(record, flags, path);
        ZipExtras extras = ZipExtras.Parse(record.Slice(Zip.CentralHeaderBytes + nameBytes, extraBytes), path);
        return Compose(record, path, nameBytes, flags, extras);
    }

    private static BundleEntry Compose(ReadOnlySpan<byte> record, string path, int nameBytes, ushort flags, ZipExtras extras)
    {
        ReadOnlySpan<byte> zip64 = extras.Zip64;
        long bytes = ZipExtras.Wide(BinaryPrimitives.ReadUInt32LittleEndian(record[24..]), ref zip64, path);
        long stored = ZipExtras.Wide(BinaryPrimitives.ReadUInt32LittleEndian(record[20..]), ref zip64, path);
        long offset = ZipExtras.Wide(BinaryPrimitives.ReadUInt32LittleEndian(record[42..]), ref zip64, path);
        uint dosTime = BinaryPrimitives.ReadUInt32LittleEndian(record[12..]);
        ushort headerMethod = BinaryPrimitives.ReadUInt16LittleEndian(record[10..]);
        (ushort method, ushort aesVersion) = Method(headerMethod, flags, extras, path);
        DateTimeOffset modified = extras.UnixTime is { } seconds ? DateTimeOffset.FromUnixTimeSeconds(seconds) : FromDosTime(dosTime);
        BundleEntry entry = new()
        {
            Listed = new SnapshotEntry(path, bytes, stored, modified, Mode(record)),
            Flags = flags,
            HeaderMethod = headerMethod,
            Method = method,
            AesVersion = aesVersion,
            DosTime = dosTime,
            Crc = BinaryPrimitives.ReadUInt32LittleEndian(record[16..]),
            NameBytes = nameBytes,
            Offset = offset,
        };
        if (entry.CompressedBytes < 0 || (method == Zip.Stored && entry.CompressedBytes != bytes)
            || (aesVersion == Zip.AesVersion2 && entry.Crc != 0))
            throw BundleProblems.Damaged("an entry's sizes contradict each other", path);
        return entry;
    }

    private static string Name(ReadOnlySpan<byte> bytes, ushort flags)
    {
        string name;
        try
        {
            name = StrictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw BundleProblems.UnsafeName("its name is not UTF-8", BundleProblems.Printable(Encoding.Latin1.GetString(bytes)));
        }

        if ((flags & Zip.Utf8Names) == 0 && bytes.ContainsAnyExceptInRange((byte)0, (byte)127))
            throw BundleProblems.UnsafeName("its name is in an unknown encoding", BundleProblems.Printable(name));
        if (name.Length > 1 && name[^1] == '/' && SnapshotPath.IsValid(name[..^1]))
            throw BundleProblems.NotABundle("it has an entry for a folder, and bundles have only files", name);
        return SnapshotPath.IsValid(name)
            ? name
            : throw BundleProblems.UnsafeName("its name could lead out of the folder that it is unpacked to",
                BundleProblems.Printable(name));
    }

    /// <summary>Only regular files on one disk, without what nobody writes today (masked headers, patches, PKWARE's own
    /// encryption).</summary>
    private static void CheckKind(ReadOnlySpan<byte> record, ushort flags, string path)
    {
        if ((flags & ~KnownFlags) != 0)
            throw BundleProblems.NotABundle($"an entry has the flags {flags:x4}", path);
        if (BinaryPrimitives.ReadUInt16LittleEndian(record[34..]) != 0)
            throw BundleProblems.NotABundle("it is one part of a split ZIP");
        uint attributes = BinaryPrimitives.ReadUInt32LittleEndian(record[38..]);
        bool unix = record[5] is Zip.MadeByUnix or Zip.MadeByMac;
        if (unix && ((attributes >> 16) & Zip.FileTypeBits) is not (0 or Zip.RegularFile))
            throw BundleProblems.UnsafeName("it is a link or a device, and bundles have only regular files", path);
        if ((attributes & Zip.DosFolder) != 0)
            throw BundleProblems.NotABundle("it has an entry for a folder, and bundles have only files", path);
    }

    private static (ushort Method, ushort AesVersion) Method(ushort inHeader, ushort flags, ZipExtras extras, string path)
    {
        bool encrypted = (flags & Zip.Encrypted) != 0;
        if (encrypted != (inHeader == Zip.Aes))
            throw BundleProblems.NotABundle("an entry is encrypted in another way than AES-256", path);
        if (!encrypted)
            return (Known(inHeader, path), 0);
        ReadOnlySpan<byte> aes = extras.Aes;
        if (aes.Length != Zip.AesExtraBytes || BinaryPrimitives.ReadUInt16LittleEndian(aes[2..]) != Zip.AesVendor
            || BinaryPrimitives.ReadUInt16LittleEndian(aes) is not (1 or Zip.AesVersion2))
            throw BundleProblems.Damaged("an entry does not say how it is encrypted", path);
        if (aes[4] != Zip.Aes256)
            throw BundleProblems.NotABundle("an entry is encrypted in another way than AES-256", path);
        return (Known(BinaryPrimitives.ReadUInt16LittleEndian(aes[5..]), path), BinaryPrimitives.ReadUInt16LittleEndian(aes));
    }

    private static ushort Known(ushort method, string path) => method is Zip.Stored or Zip.Deflated or Zip.Zstandard
        ? method
        : throw BundleProblems.NotABundle($"an entry has the compression method {method}, which bundles do not have", path);

    private static int Mode(ReadOnlySpan<byte> record)
    {
        uint high = BinaryPrimitives.ReadUInt32LittleEndian(record[38..]) >> 16;
        return record[5] is Zip.MadeByUnix or Zip.MadeByMac && high != 0 ? (int)high & Zip.PermissionBits : DefaultMode;
    }

    private static DateTimeOffset FromDosTime(uint time)
    {
        int year = 1980 + (int)(time >> 25), month = (int)(time >> 21) & 15, day = (int)(time >> 16) & 31;
        int hour = (int)(time >> 11) & 31, minute = (int)(time >> 5) & 63, second = ((int)time & 31) * 2;
        bool real = month is >= 1 and <= 12 && day >= 1 && day <= DateTime.DaysInMonth(year, month) && hour < 24 && minute < 60
            && second < 60;
        return real ? new DateTimeOffset(year, month, day, hour, minute, second, TimeSpan.Zero)
            : new DateTimeOffset(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);
    }

    /// <summary>A view that moves over the directory, so that it is never in memory as a whole.</summary>
    private sealed class Window(BundleFile file, long offset, long bytes)
    {
        private readonly byte[] _buffer = new byte[256 * 1024]; // the longest record has 46 + 3 × 65,535 bytes
        private readonly long _stop = offset + bytes;
        private long _next = offset;
        private int _start;
        private int _end;

        public long Left => _stop - _next + (_end - _start);

        public ReadOnlySpan<byte> Peek(int count)
        {
            if (count > Left)
                throw BundleProblems.Damaged("its central directory ends in the middle of an entry");
            if (_end - _start < count)
                Fill();
            return _buffer.AsSpan(_start, count);
        }

        public ReadOnlySpan<byte> Take(int count)
        {
            ReadOnlySpan<byte> taken = Peek(count);
            _start += count;
            return taken;
        }

        private void Fill()
        {
            _buffer.AsSpan(_start.._end).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
            int more = (int)Math.Min(_buffer.Length - _end, _stop - _next);
            file.ReadExactly(_next, _buffer.AsSpan(_end, more));
            _next += more;
            _end += more;
        }
    }
}
