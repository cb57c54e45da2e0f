using FsCheck;
using FsCheck.Fluent;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Apps.Detection;
using Lifeboat.Engine.Apps.Keys;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Secrets;
using Lifeboat.Tests.Shared;

namespace Lifeboat.Tests.Apps;

public sealed class InitOperationTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task It_writes_the_app_file_a_strong_passphrase_that_only_the_owner_reads_and_the_schema()
    {
        InitResult result = await RunAsync(_folder.Path);
        Assert.Equal(_folder["lifeboat.yaml"], result.AppFile);
        Assert.True(result.PassphraseIsNew);
        Assert.StartsWith("# yaml-language-server: $schema=.lifeboat/lifeboat.schema.json\n", await File.ReadAllTextAsync(result.AppFile, TestContext.Current.CancellationToken));
        Assert.Equal(AppFileSchema.Text, await File.ReadAllTextAsync(_folder[".lifeboat/lifeboat.schema.json"], TestContext.Current.CancellationToken));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(result.PassphraseFile));
        App app = await AppFile.LoadAsync(result.AppFile, TestTrust.Files, TestContext.Current.CancellationToken);
        TestHost host = new(_folder.Path);
        Secret passphrase = await new SecretResolver(app.Directory, host.Context).ResolveAsync(app.Password!, TestContext.Current.CancellationToken);
        Assert.Null(PassphraseStrength.Check(passphrase, "x"));
        Assert.Empty(host.Warnings);
        Assert.DoesNotContain(passphrase.Reveal(), await File.ReadAllTextAsync(result.AppFile, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task It_overwrites_neither_an_app_file_nor_a_passphrase()
    {
        await File.WriteAllTextAsync(_folder["lifeboat.passphrase"], "mine\n", TestContext.Current.CancellationToken);
        InitResult result = await RunAsync(_folder.Path);
        Assert.False(result.PassphraseIsNew);
        Assert.Equal("mine\n", await File.ReadAllTextAsync(_folder["lifeboat.passphrase"], TestContext.Current.CancellationToken));
        await File.WriteAllTextAsync(_folder["lifeboat.yaml"], "mine", TestContext.Current.CancellationToken);
        LifeboatException e = await Assert.ThrowsAsync<LifeboatException>(() => RunAsync(_folder.Path));
        Assert.Equal(ErrorCodes.AppFileExists, e.Code);
        Assert.Equal("mine", await File.ReadAllTextAsync(_folder["lifeboat.yaml"], TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("site/index.php", "site")]
    [InlineData("site/.htaccess", "site/uploads")]
    [InlineData("public_html/readme", "public_html/shop")]
    [InlineData("site/wp-config.php", "site")]
    public async Task Nothing_is_put_into_a_folder_that_a_web_server_serves(string sign, string app)
    {
        foreach (string name in (string[])[sign, app + "/data/app.db", app + "/.env"])
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_folder[name])!);
            await File.WriteAllTextAsync(_folder[name], name.EndsWith("db", StringComparison.Ordinal) ? "SQLite format 3\0" : "A=b\n", TestContext.Current.CancellationToken);
        }

        string[] before = Directory.GetFileSystemEntries(_folder.Path, "*", SearchOption.AllDirectories);
        TestHost host = new(_folder.Path);
        RunContext outside = host.Context with
        {
            Host = host.Context.Host with { Variables = new Dictionary<string, string>(host.Context.Host.Variables) { ["XDG_DATA_HOME"] = _folder["data"] } },
        };

        InitResult result = await new InitOperation(outside, DetectionTests.NoPlaces).RunAsync(_folder[app], TestContext.Current.CancellationToken);

        string home = _folder[$"data/lifeboat/{Path.GetFileName(app)}"];
        Assert.Equal(Path.Combine(home, "lifeboat.yaml"), result.AppFile);
        Assert.Equal(Path.Combine(home, "lifeboat.passphrase"), result.PassphraseFile);
        Assert.Contains("a web server serves", result.Notes[0], StringComparison.Ordinal);
        Assert.Equal(before, Directory.GetFileSystemEntries(_folder.Path, "*", SearchOption.AllDirectories).Where(one => !one.StartsWith(_folder["data"] + "/lifeboat", StringComparison.Ordinal) && one != _folder["data"]));
        App written = await AppFile.LoadAsync(result.AppFile, TestTrust.Files, TestContext.Current.CancellationToken);
        Assert.Equal(Path.Combine(home, "backups"), written.Stores[0].Path);
        Assert.Contains(written.Sources, source => source is SettingsSettings settings && settings.Files.Contains(_folder[app + "/.env"]));
        Assert.Null(WebRoot.SignOf(home));
        Assert.NotNull(WebRoot.SignOf(_folder[app]));
    }

    [Fact]
    public async Task An_app_file_that_is_there_stops_it_before_anything_is_written()
    {
        await File.WriteAllTextAsync(_folder["lifeboat.yaml"], "", TestContext.Current.CancellationToken);
        await Assert.ThrowsAsync<LifeboatException>(() => RunAsync(_folder.Path));
        Assert.Equal([_folder["lifeboat.yaml"]], Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public async Task A_folder_that_is_not_there_is_named()
    {
        LifeboatException e = await Assert.ThrowsAsync<LifeboatException>(() => RunAsync(_folder["none"]));
        Assert.Equal(ErrorCodes.AppFolderUnusable, e.Code);
        Assert.Equal(_folder["none"], e.Problems[0].Where);
    }

    [Fact]
    public async Task In_a_git_repository_it_says_what_to_ignore()
    {
        Directory.CreateDirectory(_folder[".git"]);
        Assert.Contains((await RunAsync(_folder.Path)).Notes, static n => n.Contains(".gitignore", StringComparison.Ordinal));
    }

    /// <summary>Whatever names and settings a folder holds, the written file loads and holds none of the secrets.</summary>
    [Fact]
    public void Whatever_is_detected_the_written_file_loads()
    {
        string[] pieces = ["a", "é", "😀", " ", "\"", "'", "\\", "\n", "#", ": ", "{", "$X", "${A}", "%TEMP%", "~", "-", "*", "!", "\u0085", "\u2028", "\t", "uploads", ".db", "[", "@"];
        string[] settings =
        [
            "DATABASE_URL=", "postgresql://", "postgres+x://", "u:hunter2@", "hunter2", "@", "/", "?", "schema=", "host=/tmp", "\n", "DB_DATABASE=", "POSTGRES_DB=", "POSTGRES_HOST=",
            "POSTGRES_USER=", "POSTGRES_PASSWORD=hunter2", "'", "\"", "%2", "%20", ":5432", ":", "#", " ", "sqlite:///", "mysql://", "é", "[::1]", "db", "[options]\n", "db_name = ",
            "db_password = hunter2", "db_host = ", "data_dir = /", "\u2028", "DATABASES = {'default': {'ENGINE': 'postgresql', 'NAME': '", "', 'PASSWORD': 'hunter2'}}", "'USER': env('",
        ];
        Gen<string> names = Gen.Elements(pieces).NonEmptyListOf().Select(static list => string.Concat(list)).Where(static n => n.Length < 100);
        Gen<string> contents = Gen.Elements(settings).ListOf().Select(static list => string.Concat(list));
        Gen<(string[] Names, string Env, string Conf)> folders =
            from some in names.ListOf()
            from env in contents
            from conf in contents
            select (some.Take(5).ToArray(), env, conf);
        Prop.ForAll(folders.ToArbitrary(), static folder => LoadsAfterInit(folder.Names, folder.Env, folder.Conf)).Check(Config.QuickThrowOnFailure.WithMaxTest(200));
    }

    /// <summary>What a generator once found: a bare slash and question mark make the password look like a database's name and its options.</summary>
    [Theory]
    [InlineData("mysql")]
    [InlineData("postgresql")]
    public async Task A_password_that_looks_like_a_database_is_not_written(string scheme)
    {
        await File.WriteAllTextAsync(_folder[".env"], $"A={scheme}://user:/:\"'hunter2?,!é@h/shop", TestContext.Current.CancellationToken);
        InitResult result = await RunAsync(_folder.Path);
        Assert.DoesNotContain("hunter2", await File.ReadAllTextAsync(result.AppFile, TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    /// <summary>A password may hold any character, and people forget to percent-encode it.</summary>
    [Fact]
    public void No_password_of_a_settings_file_gets_into_the_app_file()
    {
        Gen<string> odd = Gen.Elements("", "a", "1", "/", "@", ":", "?", "#", "%", "%20", "&", ",", "[", "]", "'", "\"", " ", "$", "é", "+", "!").ListOf()
            .Select(static list => string.Concat(list.Take(4)));
        Gen<string> lines = Gen.Elements(
            "DATABASE_URL=postgresql://user:{0}@localhost:5432/shop", "DATABASE_URL='postgresql://user:{0}@db/shop?sslmode=require'",
            "A=postgres+asyncpg://user:{0}@h.example/shop", "A=postgresql://user:{0}@h.example/shop?schema=public", "A=postgresql://h/shop?password={0}",
            "A=mysql://user:{0}@h/shop", "POSTGRES_DB=shop\nPOSTGRES_PASSWORD={0}", "DB_CONNECTION=pgsql\nDB_DATABASE=shop\nDB_PASSWORD=\"{0}\"", "PGDATABASE=shop\nPGPASSWORD={0}");
        Gen<(string Env, string Odoo, string Django)> files =
            from line in lines
            from before in odd
            from after in odd
            let secret = before + "hunter2" + after
            select (line.Replace("{0}", secret, StringComparison.Ordinal), $"[options]\ndb_name = shop\ndb_password = {secret}\nadmin_passwd={secret}\n",
                "DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', 'NAME': 'x', 'PASSWORD': " + System.Text.Json.JsonSerializer.Serialize(secret) + "}}\n");
        Prop.ForAll(files.ToArbitrary(), static made =>
        {
            using TemporaryFolder folder = new();
            File.WriteAllText(folder[".env"], made.Env);
            File.WriteAllText(folder["odoo.conf"], made.Odoo);
            File.WriteAllText(folder["settings.py"], made.Django);
            InitResult result = RunAsync(folder.Path).GetAwaiter().GetResult();
            return !File.ReadAllText(result.AppFile).Contains("hunter2", StringComparison.Ordinal)
                && !result.Findings.Any(static f => f.ToString().Contains("hunter2", StringComparison.Ordinal));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(300));
    }

    private static bool LoadsAfterInit(string[] names, string env, string conf)
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder[".env"], env);
        File.WriteAllText(folder["odoo.conf"], conf);
        File.WriteAllText(folder["settings.py"], conf);
        for (int i = 0; i < names.Length; i++)
        {
            string path = Path.Combine(folder.Path, names[i]);
            if (Path.Exists(path))
                continue;
            if (i % 2 == 0)
                File.WriteAllBytes(path, [.. "SQLite format 3\0"u8, .. new byte[1008]]);
            else
                Directory.CreateDirectory(Path.Combine(path, "uploads"));
        }

        InitResult result = RunAsync(folder.Path).GetAwaiter().GetResult();
        string text = File.ReadAllText(result.AppFile);
        App app = AppFile.LoadAsync(result.AppFile, TestTrust.Files, CancellationToken.None).GetAwaiter().GetResult();
        return app.Sources.Count > 0 && app.Sources.OfType<SqliteSettings>().All(static s => File.Exists(s.Path))
            && app.Sources.OfType<FilesSettings>().All(static s => Directory.Exists(s.Path));
    }

    private static Task<InitResult> RunAsync(string folder) =>
        new InitOperation(new TestHost(folder).Context, DetectionTests.NoPlaces).RunAsync(folder, CancellationToken.None);
}
