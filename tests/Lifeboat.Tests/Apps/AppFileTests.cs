using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Tests.Shared;

namespace Lifeboat.Tests.Apps;

public sealed class AppFileTests
{
    private const string Everything = """
        # a comment
        app: shop

        sources:
          main:      {type: postgres, url: "postgresql://shop@db:5432/shop", password: "env:SHOP_DB_PASSWORD"}
          graph:
            type: postgres
            url: "env:GRAPH_URL"
            via: [docker, exec, -i, db]
            tablespaces: {fast one: /mnt/fast, win: "D:\\pg"}
          app:       {type: sqlite, path: data/app.db}
          filestore: {type: files, path: /var/lib/odoo/filestore/shop/, exclude: ["**/*.tmp", cache]}
          settings:  {type: settings, files: [app_settings.json, ../.env], environment: [GEMINI_API_KEY]}

        stores:
          local: {path: ./backups}
          disk:  {path: /mnt/disk}

        encryption: {password: "file:lifeboat.passphrase"}
        compression: deflate
        workers: 3
        tools: {postgres: tools/pg}
        """;

    private const string Rest = "\nstores: {local: {path: b}}\nencryption: none\n";

    [Fact]
    public void Every_key_arrives_with_absolute_paths()
    {
        App app = AppFileText.Load(Everything);
        Assert.Equal("shop", app.Name);
        Assert.Equal("/srv/shop/lifeboat.yaml", app.File);
        Assert.Equal("/srv/shop", app.Directory);
        Assert.Equal(["main", "graph", "app", "filestore", "settings"], app.Sources.Select(static s => s.Name));
        PostgresSettings main = Assert.IsType<PostgresSettings>(app.Sources[0]);
        Assert.Equal("postgresql://shop@db:5432/shop", main.Url);
        Assert.Equal(new SecretReference(SecretScheme.Env, "SHOP_DB_PASSWORD"), main.Password);
        Assert.Empty(main.Via);
        PostgresSettings graph = Assert.IsType<PostgresSettings>(app.Sources[1]);
        Assert.Null(graph.Url);
        Assert.Equal(new SecretReference(SecretScheme.Env, "GRAPH_URL"), graph.UrlSecret);
        Assert.Null(graph.Password);
        Assert.Equal(["docker", "exec", "-i", "db"], graph.Via);
        Assert.Equal(new Dictionary<string, string> { ["fast one"] = "/mnt/fast", ["win"] = "D:\\pg" }, graph.Tablespaces);
        Assert.Equal("/srv/shop/data/app.db", Assert.IsType<SqliteSettings>(app.Sources[2]).Path);
        FilesSettings files = Assert.IsType<FilesSettings>(app.Sources[3]);
        Assert.Equal("/var/lib/odoo/filestore/shop", files.Path);
        Assert.Equal(["**/*.tmp", "cache"], files.Exclude);
        SettingsSettings settings = Assert.IsType<SettingsSettings>(app.Sources[4]);
        Assert.Equal(["/srv/shop/app_settings.json", "/srv/.env"], settings.Files);
        Assert.Equal(["GEMINI_API_KEY"], settings.Environment);
        Assert.Equal([new StoreSettings("local", "/srv/shop/backups"), new StoreSettings("disk", "/mnt/disk")], app.Stores);
        Assert.Equal(new SecretReference(SecretScheme.File, "lifeboat.passphrase"), app.Password);
        Assert.Equal(Compression.Deflate, app.Compression);
        Assert.Equal(3, app.Workers);
        Assert.Equal("/srv/shop/tools/pg", app.Tools["postgres"]);
    }

    [Fact]
    public void The_smallest_file_has_defaults()
    {
        App app = AppFileText.Load("app: a\nsources: {s: {type: files, path: x}}" + Rest);
        Assert.Null(app.Password);
        Assert.Null(app.Workers);
        Assert.Equal(Compression.Zstd, app.Compression);
        Assert.Empty(app.Tools);
    }

    [Fact]
    public void Byte_order_marks_and_windows_line_ends_are_fine() =>
        Assert.Equal("shop", AppFileText.Load("\uFEFF" + Everything.ReplaceLineEndings("\r\n")).Name);

    [Fact]
    public void All_mistakes_are_reported_at_once_in_the_order_of_the_file()
    {
        IReadOnlyList<Problem> problems = AppFileText.Problems("""
            app: my shop
            sources:
              main: {type: postgres, ulr: "postgresql://a@b/c"}
              app:
                type: sqlit
                path: app.db
              tree: {type: files, path: ~/files}
            store:
              local: {path: b}
            compression: zst
            workers: 100
            """);
        Assert.Equal(
            [
                "lifeboat.yaml:1",
                "lifeboat.yaml:1 app",
                "lifeboat.yaml:3 sources.main",
                "lifeboat.yaml:5 sources.app.type",
                "lifeboat.yaml:7 sources.tree.path",
                "lifeboat.yaml:8",
                "lifeboat.yaml:10 compression",
                "lifeboat.yaml:11 workers",
            ],
            problems.Select(static p => p.Where));
        Assert.All(problems, static p => Assert.Equal(ErrorCodes.AppFileInvalid, p.Code));
        Assert.Contains("`encryption` is missing", problems[0].Message);
        Assert.StartsWith("did you mean `url`?", problems[2].Hint);
        Assert.Equal("did you mean `sqlite`?", problems[3].Hint);
        Assert.StartsWith("did you mean `stores`?", problems[5].Hint);
        Assert.Equal("did you mean `zstd`?", problems[6].Hint);
    }

    /// <summary>One mistake in a source: its path below <c>sources.s</c>, and words of the message and the hint.</summary>
    [Theory]
    [InlineData("{type: postgres}", "", "the key `url` is missing", "postgresql://user@host")]
    [InlineData("{path: x}", "", "no `type`", "`sqlite`")]
    [InlineData("{tpye: sqlite, path: x}", "", "no `type`", "did you mean `type`?")]
    [InlineData("{type: , path: x}", ".type", "type is missing", "`sqlite`")]
    [InlineData("{type: postgresql, url: x}", ".type", "unknown", "did you mean `postgres`?")]
    [InlineData("{type: quux, url: x}", ".type", "unknown", "write one of `postgres`, `mysql`, `sqlite`, `chroma`, `files`, `settings`")]
    [InlineData("{type: mysql, url: x}", ".url", "neither a MySQL URL", "mysql://user@host:3306/database")]
    [InlineData("{type: mysql, url: 'mysql://b'}", ".url", "names no database", "mysql://")]
    [InlineData("{type: mysql, url: 'mysql://u:hunter2@b/c'}", ".url", "there is a password", "env:NAME")]
    [InlineData("{type: mysql, url: 'mysql://b:99999/c'}", ".url", "port", "mysql://")]
    [InlineData("{type: mysql, url: 'mysql://b/c?init-command=x'}", ".url", "option", "mysql://")]
    [InlineData("{type: mysql, url: 'mysql+pymysql://b/c'}", ".url", "driver", "mysql://")]
    [InlineData("{type: mysql, url: 'postgresql://b/c'}", ".url", "PostgreSQL", "type: postgres")]
    [InlineData("{type: mysql, url: 'env:A', accounts: some}", ".accounts", "", "related")]
    [InlineData("{type: chroma}", "", "the key `path` is missing", "path: chroma_data")]
    [InlineData("{type: chromadb, path: x}", ".type", "unknown", "did you mean `chroma`?")]
    [InlineData("{type: sqlite}", "", "the key `path` is missing", "path: data/app.db")]
    [InlineData("{type: sqlite, database: x}", "", "the key `database` is unknown", "did you mean `path`?")]
    [InlineData("{type: sqlite, path: }", ".path", "there is no value", "data/app.db")]
    [InlineData("{type: sqlite, path: ''}", ".path", "there is no value", "data/app.db")]
    [InlineData("{type: sqlite, path: 2024}", ".path", "number or a truth value", "quotes")]
    [InlineData("{type: sqlite, path: true}", ".path", "number or a truth value", "quotes")]
    [InlineData("{type: sqlite, path: [x]}", ".path", "not a list", "one text")]
    [InlineData("{type: sqlite, path: {a: b}}", ".path", "not a map", "one text")]
    [InlineData("{type: sqlite, path: 'sqlite:///x'}", ".path", "a URL, not a path", "path")]
    [InlineData("{type: sqlite, path: ':memory:'}", ".path", "in memory", "path")]
    [InlineData("{type: sqlite, path: '~/x'}", ".path", "`~` is not expanded", "whole path")]
    [InlineData("{type: sqlite, path: '$HOME/x'}", ".path", "variables are not expanded", "path itself")]
    [InlineData("{type: sqlite, path: \"a\\0b\"}", ".path", "control character", "one line")]
    [InlineData("{type: sqlite, path: x, exclude: [a]}", "", "the key `exclude` is unknown", "keys here are: `type`, `path`")]
    [InlineData("{type: files, path: x, exclude: a}", ".exclude", "a list is wanted", "**/*.tmp")]
    [InlineData("{type: files, path: x, exclude: []}", ".exclude", "the list is empty", "leave the key out")]
    [InlineData("{type: files, path: x, exclude: [/a]}", ".exclude[0]", "not relative", "leading")]
    [InlineData("{type: files, path: x, exclude: [b, ../a]}", ".exclude[1]", "not relative", "..")]
    [InlineData("{type: files, path: x, exclude: [b, b]}", ".exclude[1]", "the same as sources.s.exclude[0]", "keep one")]
    [InlineData("{type: files, path: x, exclude: ['a\\b']}", ".exclude[0]", "backslash", "`/`")]
    [InlineData("{type: files, path: x, exclude: ['!a']}", ".exclude[0]", "not supported", "left out")]
    [InlineData("{type: settings}", "", "one of the keys `files`, `environment`", "list")]
    [InlineData("{type: settings, env: [A]}", "", "the key `env` is unknown", "did you mean `environment`?")]
    [InlineData("{type: settings, environment: [A=b]}", ".environment[0]", "a value stands beside", "name alone")]
    [InlineData("{type: settings, environment: [a b]}", ".environment[0]", "not a name", "API_KEY")]
    [InlineData("{type: settings, environment: {A: b}}", ".environment", "not a map", "API_KEY")]
    [InlineData("{type: settings, files: [a, ./a]}", "", "the same as the one on line 2", "keep one")]
    [InlineData("{type: postgres, url: 'postgresql://a@b'}", ".url", "names no database", "postgresql://user@host:5432/database")]
    [InlineData("{type: postgres, url: 'postgresql://a:pw@b/c'}", ".url", "a password in the URL", "password: \"env:NAME\"")]
    [InlineData("{type: postgres, url: 'postgresql://b/c?password=x'}", ".url", "a password in the URL", "password: \"env:NAME\"")]
    [InlineData("{type: postgres, url: 'postgresql://b:99999/c'}", ".url", "from 1 to 65535", "a password has no place")]
    [InlineData("{type: postgres, url: 'postgresql://a:p/w@b/c'}", ".url", "an `@` after the URL's first `/`", "without a password")]
    [InlineData("{type: postgres, url: 'postgresql://a:p@w@b/c'}", ".url", "more than one `@`", "without a password")]
    [InlineData("{type: postgres, url: 'postgresql://a:pw/c'}", ".url", "a port in the URL", "a password has no place in it")]
    [InlineData("{type: postgres, url: 'postgresql://b/%zz'}", ".url", "two hexadecimal digits", "%25")]
    [InlineData("{type: postgres, url: 'postgresql://b/c?x'}", ".url", "name=value", "postgresql://")]
    [InlineData("{type: postgres, url: 'postgresql://[::1/c'}", ".url", "IPv6", "postgresql://")]
    [InlineData("{type: postgres, url: 'postgresql+psycopg2://b/c'}", ".url", "driver", "postgresql://")]
    [InlineData("{type: postgres, url: 'host=b dbname=c'}", ".url", "connection settings", "postgresql://")]
    [InlineData("{type: postgres, url: 'jdbc:postgresql://b/c'}", ".url", "JDBC", "postgresql://")]
    [InlineData("{type: postgres, url: 'mysql://b/c'}", ".url", "MySQL", "type: mysql")]
    [InlineData("{type: postgres, url: 'vault:a#b'}", ".url", "not supported by this version yet", "vault kv get")]
    [InlineData("{type: postgres, url: '$DATABASE_URL'}", ".url", "neither", "env:NAME")]
    [InlineData("{type: postgres, url: 'env:A', password: hunter2}", ".password", "a secret reference is wanted", "`env:NAME`")]
    [InlineData("{type: postgres, url: 'env:A', password: 12345}", ".password", "a secret reference is wanted", "`env:NAME`")]
    [InlineData("{type: postgres, url: 'env:A', password: {env: B}}", ".password", "not a map", "`env:NAME`")]
    [InlineData("{type: postgres, url: 'env:A', password: 'env:'}", ".password", "nothing stands after", "env:NAME")]
    [InlineData("{type: postgres, url: 'env:A', password: 'env:A-B'}", ".password", "not a name", "env:NAME")]
    [InlineData("{type: postgres, url: 'env:A', password: 'ENV:A'}", ".password", "not in lower case", "env:")]
    [InlineData("{type: postgres, url: 'env:A', password: '${A}'}", ".password", "not expanded", "env:NAME")]
    [InlineData("{type: postgres, url: 'env:A', password: 'vault:a#b'}", ".password", "not supported by this version yet", "vault kv get")]
    [InlineData("{type: postgres, url: 'env:A', password: 'command:a \"b'}", ".password", "a quote in the command", "close it")]
    [InlineData("{type: postgres, url: 'env:A', password: 'command:a | b'}", ".password", "only a shell understands", "sh -c")]
    [InlineData("{type: postgres, url: 'env:A', password: 'credential:a/b'}", ".password", "not a credential's name", "LoadCredential")]
    [InlineData("{type: postgres, url: 'env:A', password: 'file:~/x'}", ".password", "`~` is not expanded", "whole path")]
    [InlineData("{type: postgres, url: 'env:A', via: docker exec}", ".via", "a list is wanted", "docker")]
    [InlineData("{type: postgres, url: 'env:A', via: [env, PGPASSWORD=x]}", ".via[1]", "a secret stands in a command", "password:")]
    [InlineData("{type: postgres, url: 'env:A', via: [1]}", ".via[0]", "number", "quotes")]
    [InlineData("{type: postgres, url: 'env:A', tablespaces: {fast: mnt/fast}}", ".tablespaces.fast", "not an absolute path", "/mnt/fast")]
    [InlineData("{type: postgres, url: 'env:A', tablespaces: {}}", ".tablespaces", "there is no tablespace", "leave the key out")]
    [InlineData("[a]", "", "a map is wanted here, not a list", "key: value")]
    [InlineData("postgresql://a@b/c", "", "a map is wanted here, not a text", "key: value")]
    public void A_mistake_in_a_source_is_found_where_it_is(string source, string path, string message, string hint)
    {
        Problem problem = Assert.Single(AppFileText.Problems($"app: a\nsources: {{s: {source}}}" + Rest));
        Assert.Equal(path.Length == 0 && message.StartsWith("the same as the one", StringComparison.Ordinal) ? "lifeboat.yaml:2" : $"lifeboat.yaml:2 sources.s{path}", problem.Where);
        Assert.Contains(message, problem.Message);
        Assert.Contains(hint, problem.Hint);
    }

    [Theory]
    [InlineData("app: a\nsources: {}", "2 sources", "there is no source", "main: {type: sqlite")]
    [InlineData("app: a\nsources:\n", "2 sources", "there is no source", "main: {type: sqlite")]
    [InlineData("app: a\nsources: [x]", "2 sources", "not a list", "key: value")]
    [InlineData("sources: {s: {type: files, path: x}}", "1", "the key `app` is missing", "app: NAME")]
    [InlineData("app: 12\nsources: {s: {type: files, path: x}}", "1 app", "number", "quotes")]
    [InlineData("app: .\nsources: {s: {type: files, path: x}}", "1 app", "other characters", "shop")]
    [InlineData("app: a/b\nsources: {s: {type: files, path: x}}", "1 app", "other characters", "shop")]
    [InlineData("app: a\nsources: {s.t: {type: files, path: x}}", "2 sources", "other characters", "short name")]
    [InlineData("app: a\nsources: {s: {type: files, path: x}, S: {type: files, path: y}}", "2 sources.S", "only in upper and lower case", "another name")]
    [InlineData("app: a\nsources: {s: {type: files, path: x}, s: {type: files, path: y}}", "2", "`s` stands here twice, first on line 2", "keep one")]
    [InlineData("app: a\nsources: {s: {type: files, path: x}, t: {type: files, path: ./y/../x/}}", "2 sources.t.path", "the same as that of source `s`", "remove one")]
    [InlineData("app: a\nsources: {s: {type: sqlite, path: x}, t: {type: sqlite, path: /srv/shop/x}}", "2 sources.t.path", "the same as that of source `s`", "remove one")]
    [InlineData("app: a\nretention: {keep_last: 3}\nsources: {s: {type: files, path: x}}", "2 retention", "not supported by this version yet", "remove it")]
    [InlineData("app: a\nschedule: {}\nsources: {s: {type: files, path: x}}", "2 schedule", "not supported by this version yet", "remove it")]
    [InlineData("app: a\nhooks: {before_comit: [x]}\nsources: {s: {type: files, path: x}}", "2 hooks", "`before_comit` is unknown", "did you mean `before_commit`?")]
    [InlineData("app: a\nhooks: {before_commit: [\"a | b\"]}\nsources: {s: {type: files, path: x}}", "2 hooks.before_commit[0]", "only a shell understands", "sh -c")]
    [InlineData("app: a\nkeep_previous: 7 days\nsources: {s: {type: files, path: x}}", "2 keep_previous", "not a length of time", "7d")]
    [InlineData("app: a\nworkers: 0\nsources: {s: {type: files, path: x}}", "2 workers", "from 1 to 64", "4")]
    [InlineData("app: a\nworkers: '4'\nsources: {s: {type: files, path: x}}", "2 workers", "from 1 to 64", "without quotes")]
    [InlineData("app: a\nworkers: many\nsources: {s: {type: files, path: x}}", "2 workers", "from 1 to 64", "4")]
    [InlineData("app: a\ncompression: gzip\nsources: {s: {type: files, path: x}}", "2 compression", "`zstd` or `deflate`", "did you mean `deflate`?")]
    [InlineData("app: a\ntools: {pg: x}\nsources: {s: {type: files, path: x}}", "2 tools", "`pg` is unknown", "did you mean `postgres`?")]
    [InlineData("app: &a a\nsources: {s: {type: files, path: x}}", "1", "anchors", "quoted")]
    [InlineData("app: !!str a\nsources: {s: {type: files, path: x}}", "1", "tags", "quoted")]
    [InlineData("app: a\nsources: {s: {type: files, path: x}}\n? {a: b}\n: c", "3", "a key is not a text", "key: value")]
    public void A_mistake_elsewhere_is_found_where_it_is(string start, string where, string message, string hint)
    {
        Problem problem = Assert.Single(AppFileText.Problems(start + Rest));
        Assert.Equal("lifeboat.yaml:" + where, problem.Where);
        Assert.Contains(message, problem.Message);
        Assert.Contains(hint, problem.Hint);
    }

    [Theory]
    [InlineData("encryption: {password: hunter2}", "3 encryption.password", "a secret reference is wanted")]
    [InlineData("encryption: hunter2", "3 encryption", "`none` or a map")]
    [InlineData("encryption: ", "3 encryption", "`none` or a map")]
    [InlineData("encryption: false", "3 encryption", "`none` or a map")]
    [InlineData("encryption: {}", "3 encryption", "the key `password` is missing")]
    [InlineData("encryption: {passwort: 'env:A'}", "3 encryption", "`passwort` is unknown")]
    [InlineData("encryption: {password:hunter2}", "3 encryption", "a blank is missing")]
    [InlineData("# none", "1", "the key `encryption` is missing")]
    public void Encryption_must_be_decided(string encryption, string where, string message)
    {
        Problem problem = Assert.Single(AppFileText.Problems($"app: a\nsources: {{s: {{type: files, path: x}}}}\n{encryption}\nstores: {{local: {{path: b}}}}"));
        Assert.Equal("lifeboat.yaml:" + where, problem.Where);
        Assert.Contains(message, problem.Message);
        Assert.DoesNotContain("hunter2", problem + problem.Hint);
    }

    [Theory]
    [InlineData("x", "", "x/backups", true)]
    [InlineData(".", "", "./backups", true)]
    [InlineData(".", "exclude: [backups]", "./backups", false)]
    [InlineData(".", "exclude: [backups/**]", "./backups", false)]
    [InlineData(".", "exclude: ['**/backups']", "./a/backups/b", false)]
    [InlineData(".", "exclude: ['**/*.zip']", "./backups", false)]
    [InlineData(".", "exclude: [backup]", "./backups", true)]
    [InlineData("x", "", "x", true)]
    [InlineData("x", "", "xy", false)]
    [InlineData("x/y", "", "x", false)]
    public void A_store_inside_of_a_files_source_is_refused_unless_excluded(string source, string exclude, string store, bool refused)
    {
        IReadOnlyList<Problem> problems = AppFileText.Problems(
            $"app: a\nsources: {{s: {{type: files, path: {source}, {exclude}}}}}\nstores: {{local: {{path: {store}}}}}\nencryption: none");
        if (!refused)
        {
            Assert.Empty(problems);
            return;
        }

        Problem problem = Assert.Single(problems);
        Assert.Equal("lifeboat.yaml:3 stores.local.path", problem.Where);
        Assert.Contains("its own bundles", problem.Message);
    }

    [Fact]
    public void A_store_inside_of_a_Chroma_directory_is_refused_and_so_is_the_directory_as_another_source()
    {
        IReadOnlyList<Problem> problems = AppFileText.Problems(
            "app: a\nsources: {v: {type: chroma, path: x}, f: {type: files, path: ./x}}\nstores: {local: {path: x/backups}}\nencryption: none");
        Assert.Contains(problems, static problem => problem.Where == "lifeboat.yaml:2 sources.v.path" && problem.Message.Contains("the same as that of source `f`", StringComparison.Ordinal));
        Assert.Contains(problems, static problem => problem.Message.Contains("source `v`, which would back up", StringComparison.Ordinal) && !problem.Hint.Contains("exclude", StringComparison.Ordinal));
    }

    [Fact]
    public void A_bucket_is_not_supported_yet()
    {
        IReadOnlyList<Problem> problems = AppFileText.Problems(
            "app: a\nsources: {s: {type: files, path: x}}\nencryption: none\nstores:\n  off:\n    url: \"s3://b/c\"\n    secret_key: \"env:K\"\n");
        Assert.Equal(["lifeboat.yaml:6 stores.off.url", "lifeboat.yaml:7 stores.off.secret_key"], problems.Select(static p => p.Where));
        Assert.All(problems, static p => Assert.Contains("not supported by this version yet", p.Message));
    }

    [Theory]
    [InlineData("", 1, "empty")]
    [InlineData("# nothing\n---\n", 1, "empty")]
    [InlineData("a: b\n\tc: d", 2, "tab")]
    [InlineData("app: \"a\nsources: x\n", 1, "quote is not closed")]
    [InlineData("app: a\nsources: {a: {b: c\n", 3, "`{` is not closed")]
    [InlineData("app: a\nsources: [a, b\n", 3, "`[` is not closed")]
    [InlineData("app: a: b\n", 1, "second `: `")]
    [InlineData("app: a\n---\napp: b\n", 2, "second YAML document")]
    [InlineData("app: @a\n", 1, "YAML reserves")]
    [InlineData("just words\n", 1, "a map is wanted")]
    public void What_is_not_yaml_is_reported_with_its_line(string yaml, int line, string message)
    {
        IReadOnlyList<Problem> problems = AppFileText.Problems(yaml);
        Assert.Contains(problems, p => p.Message.Contains(message, StringComparison.Ordinal) && p.Where!.Split(' ')[0] == $"lifeboat.yaml:{line}");
    }

    [Fact]
    public void Other_encodings_and_binary_files_are_refused_with_the_place()
    {
        Problem latin = Assert.Single(AppFileText.Problems([.. "app: a\nx: "u8, 0xE9, (byte)'\n']));
        Assert.Equal("lifeboat.yaml:2", latin.Where);
        Assert.Contains("not UTF-8", latin.Message);
        Assert.Contains("UTF-16", Assert.Single(AppFileText.Problems([0xFF, 0xFE, (byte)'a', 0])).Message);
        Assert.Contains("control character", Assert.Single(AppFileText.Problems([(byte)'P', (byte)'K', 3, 4, 0])).Message);
    }

    [Fact]
    public async Task A_missing_file_a_folder_and_a_huge_file_have_clear_errors()
    {
        using TemporaryFolder folder = new();
        LifeboatException missing = await Assert.ThrowsAsync<LifeboatException>(() => AppFile.LoadAsync(folder["lifeboat.yaml"], TestTrust.Files, CancellationToken.None));
        Assert.Equal(ErrorCodes.AppFileMissing, missing.Code);
        Assert.Contains("lifeboat init", missing.Hint);
        LifeboatException isFolder = await Assert.ThrowsAsync<LifeboatException>(() => AppFile.LoadAsync(folder.Path, TestTrust.Files, CancellationToken.None));
        Assert.Equal(ErrorCodes.AppFileInvalid, isFolder.Code);
        await File.WriteAllBytesAsync(folder["huge.yaml"], new byte[1024 * 1024 + 1], TestContext.Current.CancellationToken);
        LifeboatException huge = await Assert.ThrowsAsync<LifeboatException>(() => AppFile.LoadAsync(folder["huge.yaml"], TestTrust.Files, CancellationToken.None));
        Assert.Contains("1 MiB", huge.Message);
    }

    [Fact]
    public async Task A_file_on_disk_is_loaded()
    {
        using TemporaryFolder folder = new();
        await File.WriteAllTextAsync(folder["lifeboat.yaml"], Everything, TestContext.Current.CancellationToken);
        App app = await AppFile.LoadAsync(folder["lifeboat.yaml"], TestTrust.Files, TestContext.Current.CancellationToken);
        Assert.Equal(folder.Path, app.Directory);
        Assert.Equal(folder["data/app.db"], Assert.IsType<SqliteSettings>(app.Sources[2]).Path);
    }
}
