using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Apps.Detection;
using Lifeboat.Engine.Secrets;
using Lifeboat.Tests.Shared;

namespace Lifeboat.Tests.Apps;

public sealed class DetectionTests : IDisposable
{
    private const string Secret = "hunter2-Zx9";
    private static readonly byte[] Sqlite = [.. "SQLite format 3\0"u8, .. new byte[1008]];
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_python_app_with_a_database_url_an_sqlite_file_uploads_and_settings_is_found()
    {
        Write(".env", $"DATABASE_URL=postgresql://shop:{Secret}@localhost:5432/shop\nGEMINI_API_KEY={Secret}\n");
        Write("data/app.db", Sqlite);
        Write("data/app.db-wal", Sqlite);
        Write("data/notes.txt", "no database");
        Write("node_modules/x/hidden.db", Sqlite);
        Write("uploads/a.png", "x");
        Write("app_settings.json", "{}");
        Write("chroma_data/chroma.sqlite3", Sqlite);
        (App app, string text) = await InitAsync();
        Assert.Equal(["shop", "chroma_data", "app", "uploads", "settings"], app.Sources.Select(static s => s.Name));
        PostgresSettings shop = Assert.IsType<PostgresSettings>(app.Sources[0]);
        Assert.Null(shop.Url);
        Assert.Equal($"postgresql://shop:{Secret}@localhost:5432/shop", await ResolveAsync(shop.UrlSecret!));
        Assert.Equal(_folder["chroma_data"], Assert.IsType<ChromaSettings>(app.Sources[1]).Path);
        Assert.Equal(_folder["data/app.db"], Assert.IsType<SqliteSettings>(app.Sources[2]).Path);
        Assert.Equal(_folder["uploads"], Assert.IsType<FilesSettings>(app.Sources[3]).Path);
        Assert.Equal([_folder[".env"], _folder["app_settings.json"]], Assert.IsType<SettingsSettings>(app.Sources[4]).Files);
        Assert.Contains("url: \"postgresql://shop@localhost:5432/shop\"", text);
    }

    [Theory]
    [InlineData("DATABASE_URL=postgres://u@h/d", "postgresql://u@h/d", null)]
    [InlineData("DATABASE_URL=\"postgresql://u@h.example:5433/d\" # main", "postgresql://u@h.example:5433/d", null)]
    [InlineData("export ANY_KEY='postgresql://u@h.example/d?sslmode=require'", "postgresql://u@h.example/d?sslmode=require", null)]
    [InlineData("A=postgresql+asyncpg://u:" + Secret + "@h.example/d", "postgresql://u@h.example/d", "env:PGPASSWORD")]
    [InlineData("A=postgresql://u:" + Secret + "@h.example/d?schema=public", "postgresql://u@h.example/d", "env:PGPASSWORD")]
    [InlineData("A=postgresql://u:" + Secret + "@h.example/d?schema=public\nDB_PASSWORD='" + Secret + "'", "postgresql://u@h.example/d", "env:DB_PASSWORD")]
    [InlineData("DB_CONNECTION=pgsql\nDB_HOST=h.example\nDB_PORT=5433\nDB_DATABASE=d\nDB_USERNAME=u\nDB_PASSWORD=" + Secret, "postgresql://u@h.example:5433/d", "command:sed …")]
    [InlineData("POSTGRES_DB=d\nPOSTGRES_USER=u", "postgresql://u@/d", null)]
    [InlineData("PGDATABASE=d\nPGHOST=/var/run/postgresql\nPGPORT=5433", "postgresql:///d?host=%2Fvar%2Frun%2Fpostgresql&port=5433", null)]
    public async Task Databases_are_found_in_env_files(string env, string url, string? password)
    {
        Write(".env", env + "\n");
        (App app, _) = await InitAsync();
        PostgresSettings source = Assert.Single(app.Sources.OfType<PostgresSettings>());
        Assert.Equal(url, source.Url);
        Assert.Equal("d", source.Name);
        Assert.Equal(password, source.Password?.ToString());
        if (password == "command:sed …")
            Assert.Equal(Secret, await ResolveAsync(source.Password!));
    }

    [Theory]
    [InlineData("DATABASE_URL='postgresql://u:" + Secret + "@h.example/d'", "env:DATABASE_URL")]
    [InlineData("DATABASE_URL=postgresql://u:" + Secret + "@h.example/d\nDATABASE_URL=postgresql://u:" + Secret + "@h.example/d", "env:DATABASE_URL")]
    public async Task A_url_that_sed_could_not_take_out_comes_from_the_environment(string env, string reference)
    {
        Write(".env", env + "\n");
        (App app, string text) = await InitAsync();
        Assert.Equal(reference, Assert.Single(app.Sources.OfType<PostgresSettings>()).UrlSecret?.ToString());
        Assert.Contains("set -a; . ./.env; set +a", text);
    }

    [Theory]
    [InlineData("DATABASE_URL=mysql+pymysql://u@h:3307/d?charset=utf8mb4", "mysql://u@h:3307/d", null)]
    [InlineData("DB_CONNECTION=mysql\nDB_HOST=127.0.0.1\nDB_PORT=3306\nDB_DATABASE=d\nDB_USERNAME=u\nDB_PASSWORD=" + Secret, "mysql://u@127.0.0.1/d", "DB_PASSWORD")]
    [InlineData("MYSQL_DATABASE=d\nMYSQL_USER=u\nMYSQL_PASSWORD=" + Secret, "mysql://u@/d", "MYSQL_PASSWORD")]
    [InlineData("DATABASE_URL=mariadb://u@h/d\nDB_PASSWORD=" + Secret, "mysql://u@h/d", "DB_PASSWORD")]
    public async Task A_MySQL_database_becomes_a_source_whose_password_is_a_reference(string env, string url, string? password)
    {
        Write(".env", env + "\n");
        (App app, _) = await InitAsync();
        MySqlSettings settings = Assert.Single(app.Sources.OfType<MySqlSettings>());
        Assert.Equal(url, settings.Url);
        Assert.Equal(password is null ? null : Secret, settings.Password is null ? null : await ResolveAsync(settings.Password));
    }

    [Theory]
    [InlineData("DATABASE_URL=mysql://u:a@" + Secret + "@h/d", "names a MySQL database in a way that cannot be read")]
    [InlineData("DATABASE_URL=mysql://u:${PASSWORD}@h/d", "names a MySQL database in a way that cannot be read")]
    [InlineData("DATABASE_URL=postgresql://u:123/" + Secret + "@h/d", "in a way that psql would not read")]
    [InlineData("DATABASE_URL=postgresql://u:${PASSWORD}@h/d", "in a way that psql would not read")]
    [InlineData("DATABASE_URL=sqlite:///none.db", "not there yet")]
    public async Task What_cannot_be_written_becomes_a_comment(string env, string comment)
    {
        Write(".env", env + "\n");
        (App app, string text) = await InitAsync();
        Assert.Empty(app.Sources.OfType<PostgresSettings>());
        Assert.Contains(comment, text);
    }

    [Fact]
    public async Task An_sqlite_url_and_the_file_it_names_are_one_source()
    {
        Write(".env", "DATABASE_URL=sqlite:///./db/prod.db\n");
        Write("db/prod.db", Sqlite);
        (App app, string text) = await InitAsync();
        Assert.Equal(_folder["db/prod.db"], Assert.Single(app.Sources.OfType<SqliteSettings>()).Path);
        Assert.Contains("# DATABASE_URL in .env", text);
    }

    [Fact]
    public async Task Odoo_is_found_with_its_databases_and_file_stores()
    {
        Directory.CreateDirectory(_folder["data/filestore/prod"]);
        Write("odoo.conf", $"[options]\n; a comment = 1\ndb_host = db.example\ndb_port = 5433\ndb_user = odoo\ndb_password = {Secret}\ndb_name = False\ndata_dir = {_folder["data"]}\nadmin_passwd = {Secret}\n");
        (App app, _) = await InitAsync();
        PostgresSettings database = Assert.Single(app.Sources.OfType<PostgresSettings>());
        Assert.Equal("postgresql://odoo@db.example:5433/prod", database.Url);
        Assert.Equal(Secret, await ResolveAsync(database.Password!));
        FilesSettings store = Assert.Single(app.Sources.OfType<FilesSettings>(), static s => s.Name == "prod-filestore");
        Assert.Equal(_folder["data/filestore/prod"], store.Path);
        Assert.Equal(["checklist"], store.Exclude);
        Assert.Equal([_folder["odoo.conf"]], Assert.Single(app.Sources.OfType<SettingsSettings>()).Files);
    }

    [Fact]
    public async Task Odoo_of_the_machine_is_found_from_an_empty_folder()
    {
        Write("etc/odoo.conf", "[options]\ndb_host = False\ndb_name = a,b\n");
        Directory.CreateDirectory(_folder["app"]);
        InitResult result = await new InitOperation(new TestHost(_folder.Path).Context, NoPlaces with { OdooFiles = [_folder["etc/odoo.conf"]] })
            .RunAsync(_folder["app"], TestContext.Current.CancellationToken);
        App app = await AppFile.LoadAsync(result.AppFile, TestTrust.Files, TestContext.Current.CancellationToken);
        Assert.Equal(["postgresql:///a", "postgresql:///b"], app.Sources.OfType<PostgresSettings>().Select(static s => s.Url));
        Assert.Equal([_folder["etc/odoo.conf"]], Assert.Single(app.Sources.OfType<SettingsSettings>()).Files);
    }

    [Fact]
    public async Task Django_settings_are_read_and_never_run()
    {
        Write("shop/settings.py", """
            import os
            raise SystemExit("must not run")
            # DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', 'NAME': 'wrong'}}
            DATABASES = {
                'default': {
                    'ENGINE': 'django.db.backends.postgresql',
                    'NAME': os.environ.get('DB', 'shop'),
                    'USER': "shop_user",
                    'PASSWORD': 'SECRET',
                    'HOST': 'db.example',   # the server
                    'PORT': 5433,
                    'OPTIONS': {'sslmode': 'require', 'NAME': 'inner'},
                },
                "reports": {
                    "ENGINE": "django.contrib.gis.db.backends.postgis",
                    "NAME": env("REPORTS_DB"),
                    "PASSWORD": env("REPORTS_PASSWORD"),
                },
                'old': {'ENGINE': 'django.db.backends.mysql', 'NAME': 'x'},
                'small': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': BASE_DIR / 'db.sqlite3'},
                'unknown': {'ENGINE': 'django.db.backends.postgresql', 'NAME': somewhere(), 'PASSWORD': config('NOT_SET')},
            }
            MEDIA_ROOT = os.path.join(BASE_DIR, 'var', 'files')
            """.Replace("SECRET", Secret, StringComparison.Ordinal));
        Write(".env", $"REPORTS_DB=reports\nREPORTS_PASSWORD={Secret}\n");
        Write("db.sqlite3", Sqlite);
        Directory.CreateDirectory(_folder["var/files"]);
        (App app, string text) = await InitAsync();
        PostgresSettings[] databases = [.. app.Sources.OfType<PostgresSettings>()];
        Assert.Equal(["postgresql://shop_user@db.example:5433/shop", "postgresql:///reports"], databases.Select(static s => s.Url));
        Assert.Equal("env:DJANGO_DB_PASSWORD", databases[0].Password?.ToString());
        Assert.Equal(Secret, await ResolveAsync(databases[1].Password!));
        Assert.Equal(_folder["db.sqlite3"], Assert.Single(app.Sources.OfType<SqliteSettings>()).Path);
        Assert.Equal(_folder["var/files"], Assert.Single(app.Sources.OfType<FilesSettings>()).Path);
        Assert.Equal("mysql:///x", Assert.Single(app.Sources.OfType<MySqlSettings>()).Url);
        Assert.Contains("DATABASES[\"unknown\"] in shop/settings.py is a PostgreSQL database; the settings come from NOT_SET", text);
    }

    [Fact]
    public async Task A_database_inside_of_an_uploads_folder_is_left_out_of_its_files()
    {
        Write("storage/db/app.sqlite", Sqlite);
        Write("storage/a.png", "x");
        (App app, _) = await InitAsync();
        FilesSettings files = Assert.Single(app.Sources.OfType<FilesSettings>());
        Assert.Equal(["db/app.sqlite", "db/app.sqlite-wal", "db/app.sqlite-shm", "db/app.sqlite-journal"], files.Exclude);
    }

    [Fact]
    public async Task A_Chroma_directory_is_a_source_and_left_out_of_the_files_around_it()
    {
        Write("storage/vectors/chroma.sqlite3", Sqlite);
        (App app, _) = await InitAsync();
        Assert.Equal(_folder["storage/vectors"], Assert.Single(app.Sources.OfType<ChromaSettings>()).Path);
        Assert.Equal(["vectors"], Assert.Single(app.Sources.OfType<FilesSettings>()).Exclude);
    }

    [Fact]
    public async Task An_app_file_is_not_meant_to_lie_in_a_Chroma_directory()
    {
        Write("chroma.sqlite3", Sqlite);
        (App app, string text) = await InitAsync();
        Assert.Empty(app.Sources.OfType<ChromaSettings>());
        Assert.Contains("# this folder itself is a Chroma directory", text);
    }

    [Fact]
    public async Task An_empty_folder_gives_a_file_that_backs_up_the_folder()
    {
        (App app, string text) = await InitAsync();
        FilesSettings files = Assert.IsType<FilesSettings>(Assert.Single(app.Sources));
        Assert.Equal(_folder.Path, files.Path);
        Assert.Contains("backups", files.Exclude);
        Assert.Contains("nothing was recognised", text);
    }

    internal static readonly DetectionPlaces NoPlaces = new() { OdooFiles = [], OdooData = [], PostgresSockets = [] };

    private async Task<(App App, string Text)> InitAsync()
    {
        InitResult result = await new InitOperation(new TestHost(_folder.Path).Context, NoPlaces).RunAsync(_folder.Path, TestContext.Current.CancellationToken);
        string text = await File.ReadAllTextAsync(result.AppFile, TestContext.Current.CancellationToken);
        Assert.DoesNotContain("hunter2", text);
        Assert.DoesNotContain(result.Findings, static f => f.ToString().Contains("hunter2", StringComparison.Ordinal));
        return (await AppFile.LoadAsync(result.AppFile, TestTrust.Files, TestContext.Current.CancellationToken), text);
    }

    private async Task<string> ResolveAsync(SecretReference reference)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "sed is a program of Unix");
        return (await new SecretResolver(_folder.Path, new TestHost(_folder.Path).Context).ResolveAsync(reference, TestContext.Current.CancellationToken)).Reveal();
    }

    private void Write(string name, string content) => Write(name, System.Text.Encoding.UTF8.GetBytes(content));

    private void Write(string name, byte[] content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_folder[name])!);
        File.WriteAllBytes(_folder[name], content);
    }
}
