using System.Text;
using Lifeboat.Engine.Sources.Local;
using Lifeboat.Engine.Sources.Trees;

namespace Lifeboat.Tests.Sources.Trees;

public sealed class MtreeTests
{
    [Fact]
    public void An_entry_is_written_as_mtree_has_it()
    {
        ManifestEntry entry = new(
            [.. "./a b\\"u8, 0xFF], FileKind.Regular, new FileTraits(0b100_110_100_000, new Owner(1, 2), new FileTime(-3, 4)))
        {
            User = "w w", Size = 5, Sha256 = new string('a', 64), Contents = "files/t/x=#", HardLinkId = 6, Links = 7, IsSparse = true,
        };
        Assert.Equal(
            "#sparse\n./a\\040b\\134\\377 type=file mode=04640 uid=1 gid=2 uname=w\\040w time=-3.000000004 nlink=7 inode=6 size=5 "
            + $"sha256digest={new string('a', 64)} contents=files/t/x\\075\\043\n",
            Written(entry).Split("folder.\n")[1]);
    }

    [Fact]
    public void What_was_written_is_read_again()
    {
        Random random = new(3);
        List<ManifestEntry> entries = [new(
            TreePath.Root, FileKind.Folder, new FileTraits(0b111_000_000, new Owner(0, 4294967294), new FileTime(0, 0)))];
        for (int i = 0; i < 500; i++)
        {
            byte[] name = new byte[random.Next(1, 20)];
            random.NextBytes(name);
            for (int b = 0; b < name.Length; b++)
                name[b] = name[b] is 0 or (byte)'/' or (byte)'.' ? (byte)'\\' : name[b];
            FileTraits traits = new(
                random.Next(4096),
                new Owner((uint)random.Next(), (uint)random.Next()),
                new FileTime(random.NextInt64(-9_000_000_000, 9_000_000_000), random.Next(1_000_000_000)));
            entries.Add(new ManifestEntry([.. "./"u8, .. name], FileKind.SymbolicLink, traits) { Target = name, User = "u", Group = "g\u00e4" });
        }

        entries = [.. entries.DistinctBy(static entry => Convert.ToHexString(entry.Path))];
        entries.Sort(static (a, b) => TreePath.Compare(a.Path, b.Path));
        MemoryStream stream = new(Encoding.ASCII.GetBytes(Written([.. entries])));
        ManifestEntry[] read = [.. new MtreeReader(stream, "files/t.mtree").Entries(CancellationToken.None)];
        Assert.Equal(entries.Count, read.Length);
        foreach ((ManifestEntry wrote, ManifestEntry got) in entries.Zip(read))
        {
            Assert.Equal(wrote.Path, got.Path);
            Assert.Equal((wrote.Kind, wrote.Traits, wrote.User, wrote.Group), (got.Kind, got.Traits, got.User, got.Group));
            Assert.Equal(wrote.Target ?? [], got.Target ?? []);
        }
    }

    [Fact]
    public void Paths_are_in_the_order_of_a_walk()
    {
        string[] walked = [".", "./a", "./a/b", "./a/b/c", "./a/c", "./a!", "./a.b", "./b"];
        for (int i = 0; i < walked.Length; i++)
        {
            for (int j = 0; j < walked.Length; j++)
                Assert.Equal(
                    i.CompareTo(j), Math.Sign(TreePath.Compare(Encoding.ASCII.GetBytes(walked[i]), Encoding.ASCII.GetBytes(walked[j]))));
        }
    }

    private static string Written(params ManifestEntry[] entries)
    {
        using MemoryStream stream = new();
        MtreeWriter writer = new(stream);
        writer.WriteHeader();
        foreach (ManifestEntry entry in entries)
            writer.Write(entry);
        return Encoding.ASCII.GetString(stream.ToArray());
    }
}
