using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;

namespace Lifeboat.Tests.Apps;

public sealed class AppFileFuzzTests
{
    private const string Marker = "Zx9-hunter2-Qk7";

    private static readonly string[] Pieces =
    [
        "app", "sources", "stores", "encryption", "type", "path", "url", "password", "files", "environment", "exclude", "via", "main", "none",
        "postgres", "sqlite", "settings", "workers", "tools", "mysql", "postgresql://a@b/c", "env:A", "file:x", "command:'a", "~", "null", "1", "true",
        ":", ": ", ": ", ": ", ",", "{", "}", "[", "]", "- ", "\n", "\n", "\n  ", "\n    ", "\"", "'", "#", " #", "&a", "*a", "!t", "%", "@", "`", "|", ">", "?", "---", "...",
        "\t", "\\", "\\x", "<<", "é", "\u2028", "😀", "\r\n", "%YAML 1.1", "|2-", "? ", "'' ", "\u0085",
    ];

    private const string Valid = """
        app: shop
        sources:
          main: {type: postgres, url: "postgresql://shop@db:5432/shop", password: "env:P", via: [docker, exec]}
          data: {type: sqlite, path: data/app.db}
          tree: {type: files, path: up, exclude: ["**/*.tmp"]}
          set: {type: settings, files: [a.json], environment: [KEY]}
        stores:
          local: {path: ./backups}
        encryption: {password: "file:lifeboat.passphrase"}
        compression: zstd
        workers: 3
        tools: {postgres: /usr/bin}
        """;

    [Fact]
    public void Whatever_is_written_either_loads_or_says_what_is_wrong()
    {
        Gen<string> words = Gen.Elements(Pieces).ListOf().Select(static list => string.Concat(list));
        Gen<string> mixed = Gen.OneOf(words, words.Select(static w => "app: a\nsources:\n" + w), Gen.Choose(0, Valid.Length - 1).SelectMany(at =>
            Gen.Elements(Pieces).Select(piece => Valid.Insert(at, piece))), Gen.Choose(0, Valid.Length - 1).Select(static at => Valid[..at]));
        Prop.ForAll(mixed.ToArbitrary(), static yaml => LoadsOrExplains(Encoding.UTF8.GetBytes(yaml))).Check(Config.QuickThrowOnFailure.WithMaxTest(20000));
    }

    [Fact]
    public void Whatever_bytes_there_are_either_load_or_are_explained() =>
        Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), static bytes => LoadsOrExplains(bytes)).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));

    [Theory]
    [InlineData("[")]
    [InlineData("{a: ")]
    [InlineData("- ")]
    [InlineData("? ")]
    public async Task Deep_nests_end_quickly(string piece)
    {
        string deep = string.Concat(Enumerable.Repeat(piece, 200_000));
        Task<bool> done = Task.Run(() => LoadsOrExplains(Encoding.UTF8.GetBytes(deep)), TestContext.Current.CancellationToken);
        Assert.True(await done.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken));
    }

    /// <summary>A secret put in place of any piece of a good file, or added to it anywhere, shows up in no text of ours.</summary>
    [Fact]
    public void No_problem_repeats_a_secret_wherever_it_was_written()
    {
        int refused = 0;
        foreach (string secret in (string[])[Marker, $"\"{Marker}\"", $": {Marker}", $"&{Marker} ", $"*{Marker}", $"!{Marker} ", $"%{Marker}", $"{{{Marker}}}", $"{{{Marker}: x}}",
            $"[{Marker}]", $"postgresql://u:{Marker}@h/d", $"postgresql://u:{Marker}/x@h/d", $"\n{Marker}: x\n", $"\n  {Marker}:\n", $"\n\t{Marker}", $"@{Marker}", $"env:{Marker}", $"'{Marker}",
            $"\"\\q{Marker}", $"password:{Marker}", $"Env:{Marker}", $"vault:{Marker}", $"command:{Marker} '", $"{Marker}://x", $"~/{Marker}", $"${Marker}"])
        {
            for (int at = 0; at <= Valid.Length; at++)
            {
                refused += CountWithoutSecret(Valid.Insert(at, secret));
                if (at < Valid.Length && (at == 0 || !char.IsLetterOrDigit(Valid[at - 1])))
                    refused += CountWithoutSecret(Valid[..at] + secret + Valid[at..].TrimStart("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ:/@0123456789_."u8.ToArray().Select(static b => (char)b).ToArray()));
            }
        }

        Assert.True(refused > 1000, "the secret was hardly ever in a wrong place");
    }

    private static int CountWithoutSecret(string yaml)
    {
        IReadOnlyList<Problem> problems = AppFileText.Problems(yaml);
        foreach (Problem problem in problems)
        {
            // A secret given as a valid source's name is that name; people see it where its problems are.
            string text = $"{problem.Message} {problem.Hint} {problem.Where}";
            bool isName = problem.Where!.Contains($"sources.{Marker}", StringComparison.Ordinal) || problem.Where.Contains($"stores.{Marker}", StringComparison.Ordinal);
            if (!isName && NameWith(problem.Where) is null && text.Contains("hunter2", StringComparison.Ordinal))
                Assert.Fail($"the secret is in: {text}\n--- of ---\n{yaml}");
        }

        return problems.Count > 0 ? 1 : 0;
    }

    // Inserted into the middle of a name, the secret has become part of a valid one.
    private static string? NameWith(string where) =>
        where.Split('.', ' ').FirstOrDefault(static part => part.Contains(Marker, StringComparison.Ordinal));

    private static bool LoadsOrExplains(byte[] bytes)
    {
        try
        {
            App app = AppFile.Parse(bytes, "/srv/shop/lifeboat.yaml");
            return app.Sources.Count > 0 && app.Stores.Count > 0;
        }
        catch (LifeboatException e)
        {
            return e.Problems.All(static p => p.Message.Length > 0 && p.Hint.Length > 0 && p.Where!.StartsWith("lifeboat.yaml:", StringComparison.Ordinal)
                || p.Where == "lifeboat.yaml");
        }
    }
}
