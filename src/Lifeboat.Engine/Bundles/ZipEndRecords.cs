using System.Buffers.Binary;

namespace Lifeboat.Engine.Bundles;

/// <summary>Where the central directory is, from the records at a ZIP's end (APPNOTE 4.3.14 to 4.3.16).</summary>
internal readonly record struct ZipEndRecords(long Entries, long DirectoryOffset, long DirectoryBytes)
{
    /// <summary>
    /// More than this is not read: it would only serve to use memory up. (The directory has to be kept in memory; a million files take
    /// about 100 MiB of it.)
    /// </summary>
    public const long MaxDirectoryBytes = 1L << 30;

    /// <exception cref="Errors.LifeboatException">There is no end, or it contradicts itself.</exception>
    public static ZipEndRecords Find(BundleFile file)
    {
        byte[] tail = new byte[(int)Math.Min(file.Length, Zip.EndBytes + ushort.MaxValue)];
        file.ReadExactly(file.Length - tail.Length, tail);
        int at = LastEnd(tail);
        if (at < 0)
            throw NoEnd(file, tail);
        ReadOnlySpan<byte> end = tail.AsSpan(at);
        long endOffset = file.Length - tail.Length + at;
        if (BinaryPrimitives.ReadUInt32LittleEndian(end[4..]) != 0)
            throw BundleProblems.NotABundle("it is one part of a split ZIP");
        ushort onDisk = BinaryPrimitives.ReadUInt16LittleEndian(end[8..]);
        ushort entries = BinaryPrimitives.ReadUInt16LittleEndian(end[10..]);
        uint bytes = BinaryPrimitives.ReadUInt32LittleEndian(end[12..]);
        uint offset = BinaryPrimitives.ReadUInt32LittleEndian(end[16..]);
        if (onDisk != entries)
            throw BundleProblems.Damaged("its end record contradicts itself");
        ZipEndRecords narrow = new(entries, offset, bytes);
        if (entries == Zip.Mask16 || bytes == Zip.Mask32 || offset == Zip.Mask32 || HasLocator(file, endOffset))
            return Zip64(file, endOffset, narrow);
        return narrow.Checked(endOffset);
    }

    private static int LastEnd(ReadOnlySpan<byte> tail)
    {
        for (int at = tail.Length - Zip.EndBytes; at >= 0; at--)
            if (BinaryPrimitives.ReadUInt32LittleEndian(tail[at..]) == Zip.End
                && at + Zip.EndBytes + BinaryPrimitives.ReadUInt16LittleEndian(tail[(at + 20)..]) == tail.Length)
                return at;
        return -1;
    }

    private static Errors.LifeboatException NoEnd(BundleFile file, ReadOnlySpan<byte> tail)
    {
        Span<byte> signature = stackalloc byte[4];
        if (file.Length < signature.Length)
            return BundleProblems.NotABundle(file.Length == 0 ? "it is empty" : "it is not a ZIP file");
        if (tail.IndexOf("PK\x05\x06"u8) >= 0)
            return BundleProblems.Damaged("there are bytes after its end, or its last bytes are missing");
        file.ReadExactly(0, signature);
        return BinaryPrimitives.ReadUInt32LittleEndian(signature) == Zip.LocalHeader
            ? BundleProblems.Damaged("it is cut off: the directory at its end is missing")
            : BundleProblems.NotABundle("it is not a ZIP file");
    }

    private static bool HasLocator(BundleFile file, long endOffset)
    {
        if (endOffset < Zip.Zip64LocatorBytes)
            return false;
        Span<byte> signature = stackalloc byte[4];
        file.ReadExactly(endOffset - Zip.Zip64LocatorBytes, signature);
        return BinaryPrimitives.ReadUInt32LittleEndian(signature) == Zip.Zip64Locator;
    }

    private static ZipEndRecords Zip64(BundleFile file, long endOffset, ZipEndRecords narrow)
    {
        long locatorOffset = endOffset - Zip.Zip64LocatorBytes;
        if (!HasLocator(file, endOffset) || locatorOffset < Zip.Zip64EndBytes)
            throw BundleProblems.Damaged("its ZIP64 end record is missing");
        Span<byte> locator = stackalloc byte[Zip.Zip64LocatorBytes];
        file.ReadExactly(locatorOffset, locator);
        ulong recordOffset = BinaryPrimitives.ReadUInt64LittleEndian(locator[8..]);
        if (BinaryPrimitives.ReadUInt32LittleEndian(locator[4..]) != 0 || BinaryPrimitives.ReadUInt32LittleEndian(locator[16..]) > 1
            || recordOffset > (ulong)(locatorOffset - Zip.Zip64EndBytes))
            throw BundleProblems.Damaged("its ZIP64 end records contradict each other");
        Span<byte> record = stackalloc byte[Zip.Zip64EndBytes];
        file.ReadExactly((long)recordOffset, record);
        if (BinaryPrimitives.ReadUInt32LittleEndian(record) != Zip.Zip64End
            || BinaryPrimitives.ReadUInt64LittleEndian(record[4..]) != (ulong)locatorOffset - recordOffset - 12
            || BinaryPrimitives.ReadUInt64LittleEndian(record[16..]) != 0)
            throw BundleProblems.Damaged("its ZIP64 end records contradict each other");
        ulong onDisk = BinaryPrimitives.ReadUInt64LittleEndian(record[24..]);
        ulong entries = BinaryPrimitives.ReadUInt64LittleEndian(record[32..]);
        ulong bytes = BinaryPrimitives.ReadUInt64LittleEndian(record[40..]);
        ulong offset = BinaryPrimitives.ReadUInt64LittleEndian(record[48..]);
        if (onDisk != entries || !Agree(entries, narrow.Entries, Zip.Mask16) || !Agree(bytes, narrow.DirectoryBytes, Zip.Mask32)
            || !Agree(offset, narrow.DirectoryOffset, Zip.Mask32) || (entries | bytes | offset) > long.MaxValue)
            throw BundleProblems.Damaged("its end records contradict each other");
        return new ZipEndRecords((long)entries, (long)offset, (long)bytes).Checked((long)recordOffset);
    }

    private static bool Agree(ulong wide, long narrow, long mask) => narrow == mask || wide == (ulong)narrow;

    /// <summary>The directory must fill exactly what is between the entries and the end records.</summary>
    private ZipEndRecords Checked(long end)
    {
        if (DirectoryOffset > end || DirectoryBytes != end - DirectoryOffset || Entries > DirectoryBytes / Zip.CentralHeaderBytes)
            throw BundleProblems.Damaged("its central directory is not where its end record says");
        return DirectoryBytes <= MaxDirectoryBytes ? this : throw BundleProblems.NotABundle("its directory is larger than 1 GiB");
    }
}
