using System.Buffers.Binary;

namespace Lifeboat.Engine.Bundles;

/// <summary>
/// Compares an entry's local header (APPNOTE 4.3.7) and data descriptor (4.3.9) with the central directory, and says where its data is.
/// Readers of ZIPs differ in which of the two they believe: a bundle in which they disagree is refused.
/// </summary>
internal static class LocalHeader
{
    /// <summary>The offset of the entry's first stored byte.</summary>
    public static long Check(BundleFile file, BundleEntry entry)
    {
        Span<byte> header = stackalloc byte[Zip.LocalHeaderBytes];
        file.ReadExactly(entry.Offset, header);
        int nameBytes = BinaryPrimitives.ReadUInt16LittleEndian(header[26..]);
        int extraBytes = BinaryPrimitives.ReadUInt16LittleEndian(header[28..]);
        long data = entry.Offset + Zip.LocalHeaderBytes + nameBytes + extraBytes;
        if (BinaryPrimitives.ReadUInt32LittleEndian(header) != Zip.LocalHeader || nameBytes != entry.NameBytes
            || BinaryPrimitives.ReadUInt16LittleEndian(header[6..]) != entry.Flags
            || BinaryPrimitives.ReadUInt16LittleEndian(header[8..]) != entry.HeaderMethod
            || BinaryPrimitives.ReadUInt32LittleEndian(header[10..]) != entry.DosTime)
            throw Disagrees(entry);
        if (data > entry.Limit - entry.Listed.StoredBytes)
            throw BundleProblems.Damaged("entries overlap each other or the directory", entry.Path);

        byte[] names = new byte[nameBytes + extraBytes];
        file.ReadExactly(entry.Offset + Zip.LocalHeaderBytes, names);
        if (!names.AsSpan(0, nameBytes).SequenceEqual(System.Text.Encoding.UTF8.GetBytes(entry.Path)))
            throw Disagrees(entry);
        ZipExtras extras = ZipExtras.Parse(names.AsSpan(nameBytes), entry.Path);
        CheckEncryption(entry, extras);
        if ((entry.Flags & Zip.HasDescriptor) == 0)
            CheckSizes(header, extras, entry);
        else
            CheckDescriptor(file, data + entry.Listed.StoredBytes, extras.HasZip64, entry);
        return data;
    }

    private static void CheckEncryption(BundleEntry entry, ZipExtras extras)
    {
        if (entry.IsEncrypted != extras.Aes.Length > 0)
            throw Disagrees(entry);
        if (entry.IsEncrypted && (extras.Aes.Length != Zip.AesExtraBytes || extras.Aes[4] != Zip.Aes256
            || BinaryPrimitives.ReadUInt16LittleEndian(extras.Aes) != entry.AesVersion
            || BinaryPrimitives.ReadUInt16LittleEndian(extras.Aes[2..]) != Zip.AesVendor
            || BinaryPrimitives.ReadUInt16LittleEndian(extras.Aes[5..]) != entry.Method))
            throw Disagrees(entry);
    }

    private static void CheckSizes(ReadOnlySpan<byte> header, ZipExtras extras, BundleEntry entry)
    {
        ReadOnlySpan<byte> zip64 = extras.Zip64;
        long bytes = ZipExtras.Wide(BinaryPrimitives.ReadUInt32LittleEndian(header[22..]), ref zip64, entry.Path);
        long stored = ZipExtras.Wide(BinaryPrimitives.ReadUInt32LittleEndian(header[18..]), ref zip64, entry.Path);
        if (BinaryPrimitives.ReadUInt32LittleEndian(header[14..]) != entry.Crc || bytes != entry.Listed.Bytes
            || stored != entry.Listed.StoredBytes)
            throw Disagrees(entry);
    }

    /// <summary>A descriptor may or may not begin with its signature; its sizes have 8 bytes where the local header has a ZIP64
    /// extra.</summary>
    private static void CheckDescriptor(BundleFile file, long offset, bool wide, BundleEntry entry)
    {
        int sizes = wide ? 16 : 8;
        byte[] record = new byte[Math.Clamp(entry.Limit - offset, 0, 8 + sizes)];
        file.ReadExactly(offset, record);
        ReadOnlySpan<byte> rest = record;
        if (rest.Length == 8 + sizes && BinaryPrimitives.ReadUInt32LittleEndian(rest) == Zip.DataDescriptor)
            rest = rest[4..];
        if (rest.Length < 4 + sizes)
            throw Disagrees(entry);
        ulong stored = wide ? BinaryPrimitives.ReadUInt64LittleEndian(rest[4..]) : BinaryPrimitives.ReadUInt32LittleEndian(rest[4..]);
        ulong bytes = wide ? BinaryPrimitives.ReadUInt64LittleEndian(rest[12..]) : BinaryPrimitives.ReadUInt32LittleEndian(rest[8..]);
        if (BinaryPrimitives.ReadUInt32LittleEndian(rest) != entry.Crc || stored != (ulong)entry.Listed.StoredBytes
            || bytes != (ulong)entry.Listed.Bytes)
            throw Disagrees(entry);
    }

    private static Errors.LifeboatException Disagrees(BundleEntry entry) =>
        BundleProblems.Damaged("an entry's own header and the directory disagree", entry.Path);
}
