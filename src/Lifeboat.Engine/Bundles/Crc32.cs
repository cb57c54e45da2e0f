using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Lifeboat.Engine.Bundles;

/// <summary>
/// CRC-32 as ZIP uses it (APPNOTE 4.4.7): polynomial 0xEDB88320 reflected. Long inputs are folded by carry-less multiplication
/// where the processor has it (V. Gopal et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction").
/// </summary>
internal struct Crc32
{
    private const int Slices = 8;
    private static readonly uint[] Table = BuildTable();

    private uint _inverse;

    /// <summary>The checksum of all bytes so far.</summary>
    public readonly uint Value => _inverse;

    public void Append(ReadOnlySpan<byte> data)
    {
        uint state = ~_inverse;
        if (Pclmulqdq.IsSupported && data.Length >= 128)
            state = Fold(state, ref data);
        _inverse = ~BySlices(state, data);
    }

    /// <summary>The same without the processor's help; for tests to compare.</summary>
    internal void AppendBySlices(ReadOnlySpan<byte> data) => _inverse = ~BySlices(~_inverse, data);

    private static uint BySlices(uint state, ReadOnlySpan<byte> data)
    {
        ReadOnlySpan<uint> table = Table;
        for (; data.Length >= 8; data = data[8..])
        {
            uint low = BinaryPrimitives.ReadUInt32LittleEndian(data) ^ state;
            uint high = BinaryPrimitives.ReadUInt32LittleEndian(data[4..]);
            state = table[(7 * 256) + (int)(low & 255)] ^ table[(6 * 256) + (int)((low >> 8) & 255)]
                ^ table[(5 * 256) + (int)((low >> 16) & 255)] ^ table[(4 * 256) + (int)(low >> 24)]
                ^ table[(3 * 256) + (int)(high & 255)] ^ table[(2 * 256) + (int)((high >> 8) & 255)]
                ^ table[256 + (int)((high >> 16) & 255)] ^ table[(int)(high >> 24)];
        }

        foreach (byte value in data)
            state = (state >> 8) ^ table[(int)((state ^ value) & 255)];
        return state;
    }

    /// <summary>Folds all whole 64-byte groups into 16 bytes that have the same remainder, and takes the checksum of those.</summary>
    private static uint Fold(uint state, ref ReadOnlySpan<byte> data)
    {
        // x^(512±32) and x^(128±32) modulo the polynomial, reflected: table 1 of the paper for this polynomial.
        Vector128<long> by512 = Vector128.Create(0x0154442bd4L, 0x01c6e41596L);
        Vector128<long> by128 = Vector128.Create(0x01751997d0L, 0x00ccaa009eL);
        ReadOnlySpan<Vector128<long>> blocks = MemoryMarshal.Cast<byte, Vector128<long>>(data[..(data.Length & ~63)]);
        Vector128<long> a = blocks[0] ^ Vector128.CreateScalar(state).AsInt64(), b = blocks[1], c = blocks[2], d = blocks[3];
        for (int i = 4; i + 3 < blocks.Length; i += 4)
        {
            a = Folded(a, by512) ^ blocks[i];
            b = Folded(b, by512) ^ blocks[i + 1];
            c = Folded(c, by512) ^ blocks[i + 2];
            d = Folded(d, by512) ^ blocks[i + 3];
        }

        a = Folded(Folded(Folded(a, by128) ^ b, by128) ^ c, by128) ^ d;
        data = data[(data.Length & ~63)..];
        Span<byte> rest = stackalloc byte[16];
        a.AsByte().CopyTo(rest);
        return BySlices(0, rest);
    }

    private static Vector128<long> Folded(Vector128<long> value, Vector128<long> by) =>
        Pclmulqdq.CarrylessMultiply(value, by, 0x00) ^ Pclmulqdq.CarrylessMultiply(value, by, 0x11);

    private static uint[] BuildTable()
    {
        uint[] table = new uint[Slices * 256];
        for (uint i = 0; i < 256; i++)
        {
            uint value = i;
            for (int bit = 0; bit < 8; bit++)
                value = (value >> 1) ^ ((value & 1) * 0xEDB88320);
            table[i] = value;
        }

        for (int i = 256; i < table.Length; i++)
            table[i] = (table[i - 256] >> 8) ^ table[(int)(table[i - 256] & 255)];
        return table;
    }
}
