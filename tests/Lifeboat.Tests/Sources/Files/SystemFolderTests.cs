using System.Text;
using Lifeboat.Engine.Sources.Local;
using Lifeboat.Tests.Shared;
using Microsoft.Win32.SafeHandles;

namespace Lifeboat.Tests.Sources.Files;

/// <summary>The folder that Windows uses, on whatever system the tests run.</summary>
public sealed class SystemFolderTests
{
    [Fact]
    public void Files_folders_and_links_are_created_listed_renamed_and_deleted()
    {
        using TemporaryFolder place = new();
        using SystemFolder folder = new(place.Path);
        using (SafeFileHandle file = folder.CreateFile(Folder.Name("ä")))
            RandomAccess.Write(file, "content"u8, 0);
        folder.CreateFolder(Folder.Name("d"));
        folder.Apply(Folder.Name("ä"), FileKind.Regular, new FileTraits(null, null, new FileTime(1_000_000_000, 123_456_700)));
        Assert.Equal(new FileTime(1_000_000_000, 123_456_700), folder.Find(Folder.Name("ä"))!.Value.Modified);
        Assert.Equal(7, folder.Find(Folder.Name("ä"))!.Value.Size);
        Assert.Equal(FileKind.Folder, folder.Find(Folder.Name("d"))!.Value.Kind);
        Assert.Null(folder.Find(Folder.Name("none")));
        NameList names = folder.List(CancellationToken.None);
        Assert.Equal(["d", "ä"], Enumerable.Range(0, names.Count).Select(i => Encoding.UTF8.GetString(names[i])));
        using (Folder inside = folder.OpenFolder(Folder.Name("d")))
            folder.Rename(Folder.Name("ä"), inside, Folder.Name("b"));
        folder.CreateFolder(Folder.Name("e"));
        Assert.Equal(
            FileTrouble.Exists, Assert.Throws<FileFailure>(() => folder.Rename(Folder.Name("e"), folder, Folder.Name("d"))).Trouble);
        Assert.Equal(FileTrouble.Missing, Assert.Throws<FileFailure>(() => folder.OpenFolder(Folder.Name("none"))).Trouble);
        folder.DeleteTree(Folder.Name("d"));
        folder.DeleteTree(Folder.Name("e"));
        Assert.Empty(Directory.EnumerateFileSystemEntries(place.Path));
    }

    [Theory]
    [InlineData(@"..\outside")]
    [InlineData(@"C:\outside")]
    [InlineData("file:stream")]
    [InlineData("..")]
    [InlineData("dot.")]
    [InlineData("blank ")]
    [InlineData("what?")]
    [InlineData("new\nline")]
    [InlineData("nul.txt")]
    [InlineData("COM¹")]
    [InlineData("")]
    public void A_name_that_Windows_would_take_for_something_else_is_refused(string name)
    {
        using TemporaryFolder place = new();
        using SystemFolder folder = new(place["inside"]);
        Directory.CreateDirectory(place["inside"]);
        Assert.Throws<FileFailure>(() => folder.CreateFile(Folder.Name(name)));
        Assert.Throws<FileFailure>(() => folder.CreateFolder(Folder.Name(name)));
        Assert.Throws<FileFailure>(() => folder.CreateFile([.. "bytes"u8, 0xFF]));
        Assert.Equal([place["inside"]], Directory.EnumerateFileSystemEntries(place.Path, "*", SearchOption.AllDirectories));
    }

    [Theory]
    [InlineData("it's 100% fine 🛟")]
    [InlineData(".env")]
    [InlineData("console.log")]
    [InlineData("COM10")]
    public void Other_names_are_taken(string name)
    {
        using TemporaryFolder place = new();
        using SystemFolder folder = new(place.Path);
        folder.CreateFile(Folder.Name(name)).Dispose();
        Assert.Single(Directory.GetFiles(place.Path));
    }
}
