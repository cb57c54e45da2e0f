using System.Text;
using Lifeboat.Engine.Sources.Chroma;

namespace Lifeboat.Tests.Sources.Chroma;

public sealed class PickledIdsTests
{
    /// <summary>What Python's pickle makes of Chroma's PersistentData with one record, in protocol 5: one pair needs no mark.</summary>
    private const string OneOfPython =
        "800595d1000000000000008c326368726f6d6164622e7365676d656e742e696d706c2e766563746f722e6c6f63616c5f70657273697374656e745f686e7377948c0e5065727369737465"
        + "6e744461746194939429819 47d94288c0e64696d656e73696f6e616c697479944b088c14746f74616c5f656c656d656e74735f6164646564944b018c0a6d61785f7365715f6964944b"
        + "018c0b69645f746f5f6c6162656c947d948c0469642d30944b01738c0b6c6162656c5f746f5f6964947d944b01680a738c0c69645f746f5f7365715f6964947d94680a4b007375622e";

    [Fact]
    public void One_id_of_python_is_read() => Assert.Equal(["id-0"], Read(Convert.FromHexString(OneOfPython.Replace(" ", "", StringComparison.Ordinal))));

    [Theory]
    [InlineData(0, 1000)]
    [InlineData(1, 1000)]
    [InlineData(3, 2)] // Python closes a dictionary's batch after 1,000 pairs and opens another
    [InlineData(5000, 1000)]
    [InlineData(5000, 100_000)] // Chroma in Rust does not
    public void Ids_are_read_in_batches_of_any_size(int count, int batch)
    {
        string[] ids = [.. Enumerable.Range(0, count).Select(static i => $"id {i} ä🛟 id_to_label")];
        Assert.Equal(ids, Read(Pickle(ids, batch)));
    }

    [Fact]
    public void Whatever_is_cut_or_altered_is_told_or_read_and_nothing_else_happens()
    {
        byte[] whole = Pickle(["a", "b", "c"], 2);
        Random random = new(5);
        for (int i = 0; i < 3000; i++)
        {
            byte[] bytes = whole[..random.Next(whole.Length + 1)];
            if (bytes.Length > 0 && i % 2 == 0)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            try
            {
                Read(bytes);
            }
            catch (InvalidDataException)
            {
                // told
            }
        }

        Assert.Throws<InvalidDataException>(() => Read([]));
        Assert.Throws<InvalidDataException>(() => Read(whole[..^40]));
    }

    private static string[] Read(byte[] bytes) => [.. new PickledIds(new MemoryStream(bytes)).Read()];

    /// <summary>As Chroma in Rust writes it: a dictionary of names, in protocol 3.</summary>
    private static byte[] Pickle(string[] ids, int batch)
    {
        MemoryStream stream = new();
        stream.Write([0x80, 3, (byte)'}', (byte)'(']);
        Text(stream, "total_elements_added");
        Number(stream, ids.Length);
        Text(stream, "id_to_label");
        stream.WriteByte((byte)'}');
        int number = 0;
        foreach (string[] some in ids.Chunk(batch))
        {
            stream.WriteByte((byte)'(');
            foreach (string id in some)
            {
                Text(stream, id);
                Number(stream, ++number);
            }

            stream.WriteByte((byte)'u');
        }

        Text(stream, "label_to_id");
        stream.Write("}(u."u8);
        return stream.ToArray();
    }

    private static void Text(MemoryStream stream, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        stream.WriteByte((byte)'X');
        stream.Write(BitConverter.GetBytes(bytes.Length));
        stream.Write(bytes);
    }

    private static void Number(MemoryStream stream, int number)
    {
        stream.WriteByte((byte)'J');
        stream.Write(BitConverter.GetBytes(number));
    }
}
