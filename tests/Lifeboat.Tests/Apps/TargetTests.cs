using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;

namespace Lifeboat.Tests.Apps;

public sealed class TargetTests
{
    private static readonly App Shop = AppFileText.Load("""
        app: shop
        sources:
          main: {type: postgres, url: "postgresql://shop@db/shop", password: "env:P", via: [docker, exec, db]}
          data: {type: sqlite, path: app.db}
          tree: {type: files, path: up, exclude: [x]}
          set:  {type: settings, files: [a/b.json, /etc/odoo/odoo.conf], environment: [KEY]}
        stores: {local: {path: b}}
        encryption: none
        """);

    [Fact]
    public void Targets_move_sources_and_leave_the_rest()
    {
        App moved = Shop.WithTargets(new Dictionary<string, string>
        {
            ["main"] = "postgresql://me@other:5433/copy",
            ["data"] = "/new/app.db",
            ["tree"] = "/new/up/",
            ["set"] = "/new/settings",
        });
        PostgresSettings main = Assert.IsType<PostgresSettings>(moved.Sources[0]);
        Assert.Equal("postgresql://me@other:5433/copy", main.Url);
        Assert.Equal("env:P", main.Password!.ToString());
        Assert.Equal(["docker", "exec", "db"], main.Via);
        Assert.Equal(new SqliteSettings("data", "/new/app.db"), moved.Sources[1]);
        FilesSettings tree = Assert.IsType<FilesSettings>(moved.Sources[2]);
        Assert.Equal("/new/up", tree.Path);
        Assert.Equal(["x"], tree.Exclude);
        SettingsSettings settings = Assert.IsType<SettingsSettings>(moved.Sources[3]);
        Assert.Equal("/new/settings", settings.Directory);
        Assert.Equal(["/new/settings/a/b.json", "/new/settings/outside/etc/odoo/odoo.conf"], settings.Files);
        SettingsSettings before = Assert.IsType<SettingsSettings>(Shop.Sources[3]);
        Assert.Equal(before.Files.Select(before.NameOf), settings.Files.Select(settings.NameOf));
        Assert.Same(Shop.Sources[0], Shop.WithTargets(new Dictionary<string, string>()).Sources[0]);
    }

    [Fact]
    public void A_whole_url_may_come_from_a_secret()
    {
        PostgresSettings main = Assert.IsType<PostgresSettings>(
            Shop.WithTargets(new Dictionary<string, string> { ["main"] = "env:RESTORE_URL" }).Sources[0]);
        Assert.Null(main.Url);
        Assert.Equal("env:RESTORE_URL", main.UrlSecret!.ToString());
    }

    [Fact]
    public void Every_unsuitable_target_is_reported_and_no_password_repeated()
    {
        LifeboatException e = Assert.Throws<LifeboatException>(() => Shop.WithTargets(new Dictionary<string, string>
        {
            ["mian"] = "x",
            ["main"] = "postgresql://me:hunter2@other/copy",
            ["data"] = "relative.db",
            ["tree"] = "",
            ["set"] = "postgresql://x/y",
        }));
        Assert.Equal(["--target", "--target main", "--target data", "--target tree", "--target set"], e.Problems.Select(static p => p.Where));
        Assert.All(e.Problems, static p => Assert.Equal(ErrorCodes.TargetInvalid, p.Code));
        Assert.Equal("did you mean `main`?", e.Problems[0].Hint);
        Assert.Contains("env:NAME", e.Problems[1].Hint);
        Assert.DoesNotContain(e.Problems, static p => $"{p}{p.Hint}".Contains("hunter2", StringComparison.Ordinal));
    }

    [Fact]
    public void Without_an_app_file_targets_make_the_app()
    {
        App app = AppFromSnapshot.Build(
            Metadata(("main", "postgres"), ("data", "sqlite"), ("tree", "files"), ("set", "settings")),
            new Dictionary<string, string> { ["main"] = "postgresql://me@h/d", ["data"] = "/n/a.db", ["tree"] = "/n/t", ["set"] = "/n/s" },
            only: null, "/n", new SecretReference(SecretScheme.Env, "PGPASSWORD"));
        Assert.Equal("shop", app.Name);
        Assert.Null(app.File);
        Assert.Equal(["postgres", "sqlite", "files", "settings"], app.Sources.Select(static s => s.Type));
        Assert.Equal("env:PGPASSWORD", Assert.IsType<PostgresSettings>(app.Sources[0]).Password!.ToString());
        Assert.Equal("/n/s", Assert.IsType<SettingsSettings>(app.Sources[3]).Directory);
    }

    [Fact]
    public void Without_an_app_file_every_source_that_lacks_a_target_is_named()
    {
        LifeboatException e = Assert.Throws<LifeboatException>(() => AppFromSnapshot.Build(
            Metadata(("main", "postgres"), ("data", "sqlite"), ("new", "of-the-future")),
            new Dictionary<string, string> { ["other"] = "/x" }, only: null, "/n", databasePassword: null));
        Assert.Equal(
            [ErrorCodes.TargetInvalid, ErrorCodes.TargetMissing, ErrorCodes.TargetMissing, ErrorCodes.SourceUnsupported],
            e.Problems.Select(static p => p.Code));
        Assert.Contains("--target main=postgresql://", e.Problems[1].Hint);
        App only = AppFromSnapshot.Build(
            Metadata(("main", "postgres"), ("data", "sqlite"), ("new", "of-the-future")),
            new Dictionary<string, string> { ["data"] = "/x" }, only: ["data"], "/n", databasePassword: null);
        Assert.Equal("data", Assert.Single(only.Sources).Name);
    }

    [Theory]
    [InlineData("postgresql://u@h:1/d")]
    [InlineData("postgres:///d")]
    [InlineData("postgresql://h1:1,h2:2/d?target_session_attrs=any")]
    [InlineData("postgresql://[::1]:5/d")]
    [InlineData("postgresql://%2Fvar%2Frun/d")]
    [InlineData("postgresql:///d?host=/var/run/postgresql&port=5433")]
    [InlineData("postgresql://?service=shop")]
    [InlineData("postgresql://h?dbname=d")]
    [InlineData("postgresql://u%40x@h/a%20b")]
    [InlineData("postgresql://u:@h/d")]
    public void Urls_that_libpq_takes_are_taken(string url) => Assert.True(PostgresUrl.TryParse(url, out _, out _));

    [Theory]
    [InlineData("postgresql://u:p%40w@h:1/d?password=x&sslmode=require", "postgresql://u@h:1/d?sslmode=require")]
    [InlineData("postgres://a%20b:pw@[::1]:5,h2/d%2Fe", "postgresql://a%20b@[::1]:5,h2/d%2Fe")]
    [InlineData("postgresql:///d?schema=public", "postgresql:///d")]
    public void A_url_is_written_again_without_its_password(string url, string expected)
    {
        Assert.True(PostgresUrl.TryCut(url, out PostgresUrl? cut, out _));
        Assert.Equal(expected, cut.WithoutPassword("schema"));
    }

    [Theory]
    [InlineData("*.tmp", "a.tmp", true)]
    [InlineData("*.tmp", "d/a.tmp", false)]
    [InlineData("**/*.tmp", "a.tmp", true)]
    [InlineData("**/*.tmp", "d/e/a.tmp", true)]
    [InlineData("cache", "cache", true)]
    [InlineData("cache/", "cache", true)]
    [InlineData("cache/**", "cache", false)]
    [InlineData("cache/**", "cache/a/b", true)]
    [InlineData("a/**/b", "a/b", true)]
    [InlineData("a/**/b", "a/x/y/b", true)]
    [InlineData("a?c", "abc", true)]
    [InlineData("a?c", "a/c", false)]
    [InlineData("a.c", "abc", false)]
    [InlineData("**", "x/y", true)]
    [InlineData("[a]", "a", false)]
    [InlineData("a*b", "a\nb", true)]
    public void Globs_match_as_documented(string glob, string path, bool matches) => Assert.Equal(matches, new Glob(glob).Matches(path));

    private static SnapshotMetadata Metadata(params (string Name, string Type)[] sources) => new()
    {
        BackupVersion = SnapshotMetadata.CurrentVersion,
        App = "shop",
        Timestamp = DateTimeOffset.UnixEpoch,
        LifeboatVersion = "0",
        Host = "h",
        ExportStatus = "complete",
        ExportDurationSeconds = 0,
        CutWidthSeconds = 0,
        Encryption = "none",
        Warnings = [],
        Sources = [.. sources.Select(static s => new SourceMetadata
        {
            Name = s.Name,
            Type = s.Type,
            Cut = new CutMetadata(DateTimeOffset.UnixEpoch),
            Bytes = 0,
            Files = 0,
        })],
    };
}
