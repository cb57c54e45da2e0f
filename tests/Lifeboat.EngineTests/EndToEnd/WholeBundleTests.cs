using System.IO.Compression;
using System.Text;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Restore;
using Lifeboat.Engine.Stores;
using Lifeboat.Engine.Verify;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.EndToEnd;

/// <summary>What is a whole bundle is one question: a verification and a restore give the same answer, whatever was done to it.</summary>
public sealed class WholeBundleTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Root => _folder.Path;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("none")]
    [InlineData("{password: \"file:pw\"}")]
    public async Task Verify_and_restore_agree_on_every_bundle_with_something_else_in_it(string encryption)
    {
        LifeboatProgram.Shell(
            Root,
            """
            mkdir files; echo one > files/one; echo two > files/two; echo A=1 > a.env; echo A=2 > b.env
            sqlite3 s.db "CREATE TABLE t (x); INSERT INTO t VALUES (1)"; (umask 077; echo horse-lantern-quartz-91827-velvet-onyx > pw)
            """);
        File.WriteAllText(Path.Combine(Root, "lifeboat.yaml"), $$"""
            app: whole
            sources:
              tree: {type: files, path: files}
              state: {type: sqlite, path: s.db}
              conf: {type: settings, files: [a.env, b.env]}
            stores:
              l: {path: store}
            encryption: {{encryption}}
            compression: deflate
            """);
        ProgramRun backup = LifeboatProgram.Run(Root, "backup", "-q");
        Assert.True(backup.ExitStatus is 0 or 3, backup.All);
        string bundle = Directory.GetFiles(Path.Combine(Root, "store"), "*.zip")[0];
        byte[] whole = await File.ReadAllBytesAsync(bundle, TestContext.Current.CancellationToken);
        Assert.True(await AgreeAsync(bundle, "as it was written"), "a whole bundle is refused");

        int refused = 0, cases = 0;
        foreach ((string what, byte[] altered) in encryption == "none" ? Rewritten(whole) : Flipped(whole))
        {
            await File.WriteAllBytesAsync(bundle, altered, TestContext.Current.CancellationToken);
            refused += await AgreeAsync(bundle, what) ? 0 : 1;
            cases++;
        }

        // Only the cover may be another or go: it is not part of the snapshot, and for people only.
        Assert.True(cases - refused <= (encryption == "none" ? 3 : 0), $"{cases - refused} of {cases} altered bundles were taken for whole");
        Assert.True(cases > 8, "too little was altered");
    }

    /// <summary>Whether both take the bundle for whole; they must not differ.</summary>
    private async Task<bool> AgreeAsync(string bundle, string what)
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        TestHost host = new(Root);
        App app = await AppFile.LoadAsync(Path.Combine(Root, "lifeboat.yaml"), TestTrust.Files, cancellation);
        StoredSnapshot stored = await new StoreCatalog(app, host.Context).FindAsync(bundle, [], cancellation);
        string verified = await OutcomeAsync(async () =>
        {
            VerifyResult result = await new VerifyOperation(app, host.Context).RunAsync(stored, trusted: true, cancellation);
            if (result.Problems.Count > 0)
                throw new LifeboatException(result.Problems);
        });
        string restored = await OutcomeAsync(async () => await new RestoreOperation(app, host.Context).RunAsync(
            new RestoreRequest(stored, [], new Dictionary<string, string>(), false) { Trust = Lifeboat.Engine.Restore.Trust.Given }, static (_, _) => Task.FromResult(true), cancellation));
        Assert.True(verified == "whole" == (restored == "whole"), $"{what}: verify says {verified}; restore says {restored}");
        return verified == "whole";
    }

    private static async Task<string> OutcomeAsync(Func<Task> work)
    {
        try
        {
            await work();
            return "whole";
        }
        catch (LifeboatException e)
        {
            return string.Join("; ", e.Problems.Select(static problem => $"{problem.Code.Id} {problem.Message} ({problem.Where})"));
        }
    }

    /// <summary>Each entry altered, removed, doubled under a new name, and exchanged with the next one; every CRC is right.</summary>
    private static IEnumerable<(string What, byte[] Bundle)> Rewritten(byte[] whole)
    {
        (string Name, byte[] Content)[] entries = Read(whole);
        for (int i = 0; i < entries.Length; i++)
        {
            (string name, byte[] content) = entries[i];
            (string next, byte[] other) = entries[(i + 1) % entries.Length];
            yield return ($"{name} altered", Write(entries.Select(one => one.Name == name ? (name, [.. content, (byte)'\n']) : one)));
            yield return ($"{name} removed", Write(entries.Where(one => one.Name != name)));
            yield return ($"{name} added again", Write(entries.Append((name + ".copy", content))));
            yield return ($"{name} and {next} exchanged", Write(entries.Select(one => one.Name == name ? (name, other) : one.Name == next ? (next, content) : one)));
        }
    }

    /// <summary>A byte of each entry's stored content altered.</summary>
    private static IEnumerable<(string What, byte[] Bundle)> Flipped(byte[] whole)
    {
        using ZipArchive zip = new(new MemoryStream(whole));
        string[] names = [.. zip.Entries.Select(static entry => entry.FullName)];
        long[] lengths = [.. zip.Entries.Select(static entry => entry.CompressedLength)];
        int from = 0;
        for (int i = 0; i < names.Length; i++)
        {
            byte[] name = Encoding.UTF8.GetBytes(names[i]);
            int at = whole.AsSpan(from).IndexOf(name) + from; // in its local header
            from = at + name.Length;
            byte[] altered = [.. whole];
            altered[from + 40 + (int)(lengths[i] / 2)] ^= 1;
            yield return ($"a byte of {names[i]} altered", altered);
        }
    }

    private static (string Name, byte[] Content)[] Read(byte[] bundle)
    {
        using ZipArchive zip = new(new MemoryStream(bundle));
        List<(string, byte[])> entries = [];
        foreach (ZipArchiveEntry entry in zip.Entries)
        {
            using Stream stream = entry.Open();
            using MemoryStream content = new();
            stream.CopyTo(content);
            entries.Add((entry.FullName, content.ToArray()));
        }

        return [.. entries];
    }

    private static byte[] Write(IEnumerable<(string Name, byte[] Content)> entries)
    {
        using MemoryStream bundle = new();
        using (ZipArchive zip = new(bundle, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach ((string name, byte[] content) in entries)
            {
                using Stream stream = zip.CreateEntry(name).Open();
                stream.Write(content);
            }
        }

        return bundle.ToArray();
    }
}
