using System.Text.Json;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Restore.Journal;
using Lifeboat.Tests.Shared;

namespace Lifeboat.Tests.Restore;

public sealed class RestoreJournalTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly TestHost _host;

    public RestoreJournalTests() => _host = new TestHost(_folder.Path);

    private static JournalHeader Header => new(JournalHeader.CurrentVersion, "abc", "shop", "20260101_000000Z", "1.2.3", null, [new("main", "postgres", null), new("files", "files", "/elsewhere")]);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_was_written_is_read_again()
    {
        using (RestoreJournal written = Begin())
        {
            written.Write(JournalStep.Stage, "main");
            written.Write(JournalStep.Record, "main", Json("""{"live":"a\nb é"}"""));
            written.Write(JournalStep.Record, "main", Json("""{"live":"second"}"""));
            written.Write(JournalStep.Switch, "main");
        }

        using RestoreJournal read = Assert.Single(RestoreJournal.OpenAll(_folder.Path, _host.Context));
        Assert.Equal(("abc", "shop", false, false), (read.Header.Id, read.Header.App, read.IsUndo, read.IsCommitted));
        Assert.Equal("second", read.RecordOf("main")!.Value.GetProperty("live").GetString());
        Assert.Null(read.RecordOf("files"));
        Assert.NotNull(read.Reached(JournalStep.Switch, "main"));
        Assert.Null(read.Reached(JournalStep.Switch, "files"));
        read.Write(JournalStep.Committed);
        Assert.True(read.IsCommitted);
    }

    /// <summary>A kill or a power cut may leave any part of the last line; the steps before it are known, and that one was not taken.</summary>
    [Fact]
    public void Cut_off_at_any_byte_it_tells_of_the_whole_lines()
    {
        using (RestoreJournal written = Begin())
        {
            written.Write(JournalStep.Stage, "main");
            written.Write(JournalStep.Switch, "main");
            written.Write(JournalStep.Committed);
        }

        string path = _folder["abc.journal"];
        byte[] whole = File.ReadAllBytes(path)[..(Array.LastIndexOf(File.ReadAllBytes(path), (byte)'\n') + 1)];
        for (int length = 0; length <= whole.Length; length++)
        {
            foreach (byte[] rest in (byte[][])[[], new byte[100]])
            {
                File.WriteAllBytes(path, [.. whole[..length], .. rest]);
                int lines = whole[..length].Count(static b => b == '\n');
                IReadOnlyList<RestoreJournal> read = RestoreJournal.OpenAll(_folder.Path, _host.Context);
                Assert.Equal(lines == 0 ? 0 : 1, read.Count);
                if (lines == 0)
                {
                    Assert.False(File.Exists(path));
                    continue;
                }

                using RestoreJournal journal = read[0];
                Assert.Equal((lines >= 2, lines >= 3, lines >= 4), (journal.Reached(JournalStep.Stage) is not null, journal.Reached(JournalStep.Switch) is not null, journal.IsCommitted));
                journal.Write(JournalStep.Discard); // it goes on behind the whole lines
                journal.Dispose();
                using RestoreJournal again = Assert.Single(RestoreJournal.OpenAll(_folder.Path, _host.Context, onlyRead: true));
                Assert.True(again.IsDiscarding);
            }
        }
    }

    [Theory]
    [InlineData("{}\n")]
    [InlineData("{\"step\":\"Stage\",\"at\":\"2026-01-01T00:00:00Z\",\"source\":\"main\",\"record\":null,\"header\":null}\n")]
    [InlineData("nonsense\n")]
    [InlineData("\n")]
    public void One_that_was_altered_is_refused(string text)
    {
        File.WriteAllText(_folder["abc.journal"], text);
        LifeboatException refused = Assert.Throws<LifeboatException>(() => RestoreJournal.OpenAll(_folder.Path, _host.Context));
        Assert.Equal(ErrorCodes.JournalDamaged, refused.Code);
        Assert.True(File.Exists(_folder["abc.journal"]));
    }

    [Fact]
    public void One_of_a_newer_version_is_refused()
    {
        using (RestoreJournal.Begin(_folder.Path, JournalStep.Restore, Header with { Version = JournalHeader.CurrentVersion + 1, LifeboatVersion = "9.0.0" }, _host.Context))
        {
        }

        LifeboatException refused = Assert.Throws<LifeboatException>(() => RestoreJournal.OpenAll(_folder.Path, _host.Context));
        Assert.Contains("9.0.0", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Only_its_owner_can_read_it()
    {
        if (OperatingSystem.IsWindows())
            return;
        using RestoreJournal journal = Begin();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_folder["abc.journal"]));
    }

    private RestoreJournal Begin() => RestoreJournal.Begin(_folder.Path, JournalStep.Restore, Header, _host.Context);

    private static JsonElement Json(string text)
    {
        using JsonDocument document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }
}
