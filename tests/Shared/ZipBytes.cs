using System.Buffers.Binary;
using System.Text;

namespace Lifeboat.Tests.Shared;

/// <summary>Finds its way in the bytes of a small, healthy ZIP, so that tests can damage it on purpose.</summary>
public static class ZipBytes
{
    /// <param name="Central">Offset of the central header.</param>
    /// <param name="Local">Offset of the local header.</param>
    /// <param name="Data">Offset of the stored bytes.</param>
    public sealed record Place(string Name, int Central, int Local, int Data, int Stored);

    public static IReadOnlyList<Place> Central(byte[] zip)
    {
        List<Place> places = [];
        int at = (int)BinaryPrimitives.ReadUInt32LittleEndian(zip.AsSpan(zip.Length - 22 + 16));
        while (BinaryPrimitives.ReadUInt32LittleEndian(zip.AsSpan(at)) == 0x02014b50)
        {
            int name = UInt16(zip, at + 28);
            int local = (int)BinaryPrimitives.ReadUInt32LittleEndian(zip.AsSpan(at + 42));
            places.Add(new Place(
                Encoding.UTF8.GetString(zip, at + 46, name),
                at,
                local,
                local + 30 + UInt16(zip, local + 26) + UInt16(zip, local + 28),
                (int)BinaryPrimitives.ReadUInt32LittleEndian(zip.AsSpan(at + 20))));
            at += 46 + name + UInt16(zip, at + 30) + UInt16(zip, at + 32);
        }

        return places;
    }

    public static Place Of(byte[] zip, string name) => Central(zip).Single(place => place.Name == name);

    private static int UInt16(byte[] bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(at));
}
