using System.Buffers.Binary;

namespace Lifeboat.Engine.Bundles;

/// <summary>What is of use in a header's extra fields (APPNOTE 4.5).</summary>
internal readonly ref struct ZipExtras
{
    private ZipExtras(ReadOnlySpan<byte> zip64, ReadOnlySpan<byte> aes, int? unixTime, bool hasZip64)
    {
        Zip64 = zip64;
        Aes = aes;
        UnixTime = unixTime;
        HasZip64 = hasZip64;
    }

    public ReadOnlySpan<byte> Zip64 { get; }

    public bool HasZip64 { get; }

    /// <summary>The AES extra's seven bytes, or none.</summary>
    public ReadOnlySpan<byte> Aes { get; }

    public int? UnixTime { get; }

    public static ZipExtras Parse(ReadOnlySpan<byte> extra, string where)
    {
        ReadOnlySpan<byte> zip64 = default;
        ReadOnlySpan<byte> aes = default;
        int? unixTime = null;
        bool hasZip64 = false;
        while (extra.Length > 0)
        {
            if (extra.Length < 4 || BinaryPrimitives.ReadUInt16LittleEndian(extra[2..]) is var length && length > extra.Length - 4)
                throw BundleProblems.Damaged("an entry's extra fields do not add up", where);
            ushort id = BinaryPrimitives.ReadUInt16LittleEndian(extra);
            ReadOnlySpan<byte> data = extra.Slice(4, length);
            extra = extra[(4 + length)..];
            if (id == Zip.Zip64Extra)
            {
                zip64 = data;
                hasZip64 = true;
            }
            else if (id == Zip.AesExtra)
            {
                aes = data;
            }
            else if (id == Zip.TimeExtra && data.Length >= 5 && (data[0] & 1) != 0)
            {
                unixTime = BinaryPrimitives.ReadInt32LittleEndian(data[1..]);
            }
        }

        return new ZipExtras(zip64, aes, unixTime, hasZip64);
    }

    /// <summary>A size or offset: what the header says, or the next number of the ZIP64 extra where the header says "see there".</summary>
    public static long Wide(uint narrow, ref ReadOnlySpan<byte> zip64, string where)
    {
        if (narrow != Zip.Mask32)
            return narrow;
        if (zip64.Length < 8)
            throw BundleProblems.Damaged("an entry's ZIP64 sizes are missing", where);
        ulong wide = BinaryPrimitives.ReadUInt64LittleEndian(zip64);
        zip64 = zip64[8..];
        return wide <= long.MaxValue ? (long)wide : throw BundleProblems.Damaged("an entry says that it is larger than any file", where);
    }
}
