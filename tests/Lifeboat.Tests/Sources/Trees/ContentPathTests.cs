using System.Text;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Trees;

namespace Lifeboat.Tests.Sources.Trees;

public sealed class ContentPathTests
{
    [Fact]
    public void Plain_names_stay_as_they_are() =>
        Assert.Equal("files/t/a b/-x/ä😀*?:", ContentPath.Of("files/t", Encoding.UTF8.GetBytes("./a b/-x/ä😀*?:")));

    [Fact]
    public void What_a_snapshot_path_cannot_hold_is_escaped() =>
        Assert.Equal("files/t/%FF%5C%0A%25%C2%85", ContentPath.Of("files/t", [.. "./"u8, 0xFF, (byte)'\\', (byte)'\n', (byte)'%', 0xC2, 0x85]));

    [Fact]
    public void Any_path_becomes_a_valid_one_and_no_two_meet()
    {
        Random random = new(7);
        HashSet<string> seen = new(StringComparer.Ordinal);
        HashSet<string> originals = new(StringComparer.Ordinal);
        for (int i = 0; i < 20_000; i++)
        {
            List<byte> path = [(byte)'.'];
            for (int depth = random.Next(1, i % 100 == 0 ? 60 : 4); depth > 0; depth--)
            {
                byte[] name = new byte[random.Next(1, i % 10 == 0 ? 256 : 3)];
                random.NextBytes(name);
                for (int b = 0; b < name.Length; b++)
                    name[b] = name[b] is 0 or (byte)'/' or (byte)'.' ? (byte)'%' : name[b];
                path.Add((byte)'/');
                path.AddRange(name);
            }

            byte[] bytes = [.. path];
            if (!originals.Add(Convert.ToHexString(bytes)))
                continue;
            string escaped = ContentPath.Of("files/t", bytes);
            Assert.True(SnapshotPath.IsValid(escaped), escaped);
            Assert.True(seen.Add(escaped), escaped);
        }
    }

    [Fact]
    public void A_shortened_name_cannot_be_taken_by_another_file()
    {
        string shortened = ContentPath.Escape([.. Enumerable.Repeat((byte)0xFF, 255)]);
        Assert.True(Encoding.UTF8.GetByteCount(shortened) <= 255);
        Assert.NotEqual(shortened, ContentPath.Escape(Encoding.UTF8.GetBytes(shortened)));
    }
}
