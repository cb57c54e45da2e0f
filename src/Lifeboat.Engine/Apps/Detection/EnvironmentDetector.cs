using Lifeboat.Engine.Apps.Keys;

namespace Lifeboat.Engine.Apps.Detection;

/// <summary>Finds databases in <c>.env</c> files: URLs under any key, and the single settings of Laravel, Docker images and libpq.</summary>
internal static class EnvironmentDetector
{
    private static readonly string[][] SingleSettings =
    [
        // database, host, port, user, password, and what must hold a word with "postgres" or "pgsql" in it; null for no such rule
        ["DB_DATABASE", "DB_HOST", "DB_PORT", "DB_USERNAME", "DB_PASSWORD", "DB_CONNECTION"],
        ["DB_NAME", "DB_HOST", "DB_PORT", "DB_USER", "DB_PASSWORD", "DB_ENGINE"],
        ["POSTGRES_DB", "POSTGRES_HOST", "POSTGRES_PORT", "POSTGRES_USER", "POSTGRES_PASSWORD", ""],
        ["MYSQL_DATABASE", "MYSQL_HOST", "MYSQL_PORT", "MYSQL_USER", "MYSQL_PASSWORD", "mysql"],
        ["MARIADB_DATABASE", "MARIADB_HOST", "MARIADB_PORT", "MARIADB_USER", "MARIADB_PASSWORD", "mysql"],
        ["PGDATABASE", "PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", ""],
    ];

    public static async Task<IReadOnlyList<Finding>> DetectAsync(FolderScan scan, IReadOnlyList<EnvironmentFile> files, CancellationToken cancellation)
    {
        List<Finding> findings = [];
        foreach (EnvironmentFile file in files)
        {
            foreach (EnvironmentEntry entry in file.Entries)
            {
                if (await DetectUrlAsync(scan, file, entry, cancellation) is { } finding)
                    findings.Add(finding);
            }

            findings.AddRange(SingleSettings.Select(keys => DetectSingle(file, keys)).OfType<Finding>());
        }

        return findings;
    }

    private static async Task<Finding?> DetectUrlAsync(FolderScan scan, EnvironmentFile file, EnvironmentEntry entry, CancellationToken cancellation)
    {
        string reason = $"{entry.Key} in {file.RelativePath}";
        int colon = entry.Value.IndexOf(':', StringComparison.Ordinal);
        string scheme = colon < 0 ? "" : entry.Value[..colon].Split('+')[0];
        switch (scheme)
        {
            case "postgres" or "postgresql":
                return Postgres(reason, file, entry, entry.Value[..colon], "postgresql" + entry.Value[colon..]);
            case "mysql" or "mariadb":
                bool isWhole = entry.Value[..colon] is "mysql" or "mariadb";
                return MayHideAPassword(entry.Raw)
                    ? MySqlDraft.Unclear(reason)
                    : MySqlDraft.OfUrl(reason, "mysql" + entry.Value[colon..], isWhole ? file.ReferenceTo(entry.Key) : null, MySqlPasswordBeside(file));
            case "sqlite" or "sqlite3":
                return await SqliteAsync(scan, file, reason, entry.Value[(colon + 1)..], cancellation);
            default:
                return null;
        }
    }

    private static Finding Postgres(string reason, EnvironmentFile file, EnvironmentEntry entry, string scheme, string url)
    {
        NoteFinding unclear = new(
            $"{reason} names a PostgreSQL database in a way that psql would not read", ["write its `url` as postgresql://user@host:5432/database"]);
        if (entry.Value.Contains('$', StringComparison.Ordinal) || MayHideAPassword(entry.Raw) || !PostgresUrl.TryCut(url, out PostgresUrl? cut, out _))
            return unclear;
        string written = PostgresDraft.Written(cut);
        if (!cut.HoldsPassword)
            return PostgresDraft.Finding(reason, cut, DraftField.Of("url", written), PasswordBeside(file), []) ?? (Finding)unclear;
        bool isWhole = scheme is "postgres" or "postgresql" && !PostgresDraft.HasForeignParameters(cut);
        if (!isWhole)
            return PostgresDraft.Finding(
                reason, cut, DraftField.Of("url", written), PasswordBeside(file) ?? "env:PGPASSWORD",
                [$"the password is inside of {entry.Key}, in a form that psql does not read: set the variable that `password` names"]) ?? (Finding)unclear;
        string reference = file.ReferenceTo(entry.Key);
        string comment = reference.StartsWith("env:", StringComparison.Ordinal)
            ? $"set {entry.Key} before a backup (`set -a; . ./{file.RelativePath}; set +a`), or write url: \"{written}\" and a `password`"
            : $"the whole URL with its password, as it stands in {file.RelativePath}; or write url: \"{written}\" and password: \"env:NAME\"";
        return PostgresDraft.Finding(reason, cut, DraftField.Of("url", reference), null, [comment]) ?? (Finding)unclear;
    }

    // A password with a bare `/` or `?` in it looks like a database's name or a parameter, and an `@` comes after it: perhaps behind
    // what looks like the end of the value.
    private static bool MayHideAPassword(string raw)
    {
        ReadOnlySpan<char> rest = raw.AsSpan(raw.IndexOf("://", StringComparison.Ordinal) is >= 0 and int at ? at + 3 : 0);
        int end = rest.IndexOfAny('/', '?');
        return end >= 0 && rest[end..].Contains('@');
    }

    private static string? PasswordBeside(EnvironmentFile file)
    {
        string? key = Array.Find(["DATABASE_PASSWORD", "DB_PASSWORD", "POSTGRES_PASSWORD", "PGPASSWORD"], key => file[key] is not null);
        return key is null ? null : file.ReferenceTo(key);
    }

    private static string? MySqlPasswordBeside(EnvironmentFile file)
    {
        string? key = Array.Find(["DATABASE_PASSWORD", "DB_PASSWORD", "MYSQL_PASSWORD", "MARIADB_PASSWORD"], key => file[key] is not null);
        return key is null ? null : file.ReferenceTo(key);
    }

    private static async Task<Finding?> SqliteAsync(FolderScan scan, EnvironmentFile file, string reason, string rest, CancellationToken cancellation)
    {
        // sqlite:///relative and sqlite:////absolute (SQLAlchemy, Django, Rails); sqlite:relative
        string path = rest.StartsWith("///", StringComparison.Ordinal) ? rest[3..] : rest.StartsWith("//", StringComparison.Ordinal) ? rest[2..] : rest;
        path = path.Split('?')[0];
        if (path.Length == 0 || TextRules.Path(path) is not null)
            return null;
        string folder = Path.GetDirectoryName(Path.Combine(scan.Root, file.RelativePath))!;
        string fullPath = Path.GetFullPath(Path.Combine(folder, path));
        return await SqliteDetector.IsDatabaseAsync(fullPath, cancellation)
            ? SqliteDetector.Found(scan, fullPath, reason)
            : new NoteFinding($"{reason} names an SQLite database that is not there yet", ["add a source of type sqlite with its `path` when it is"]);
    }

    private static Finding? DetectSingle(EnvironmentFile file, string[] keys)
    {
        if (file[keys[0]] is not { } database)
            return null;
        string engine = keys[5].Length == 0 ? "postgres" : keys[5] == "mysql" ? "mysql" : file[keys[5]] ?? (file[keys[2]] == "5432" ? "postgres" : "");
        string reason = $"{keys[0]} in {file.RelativePath}";
        bool isMySql = engine.Contains("mysql", StringComparison.OrdinalIgnoreCase) || engine.Contains("maria", StringComparison.OrdinalIgnoreCase);
        if (!isMySql && !engine.Contains("postgres", StringComparison.OrdinalIgnoreCase) && !engine.Contains("pgsql", StringComparison.OrdinalIgnoreCase))
            return null;
        if ((string?[])[database, file[keys[1]], file[keys[3]]] is var values && values.Any(static v => v?.Contains('$', StringComparison.Ordinal) == true))
            return new NoteFinding($"{reason} is put together from other variables", [$"write a source of type {(isMySql ? "mysql" : "postgres")} for it"]);
        string? password = file[keys[4]] is null ? null : file.ReferenceTo(keys[4]);
        string[] comments = password is null ? [] : [$"the password is {keys[4]} of {file.RelativePath}"];
        if (isMySql)
            return MySqlDraft.OfSettings(reason, file[keys[3]], file[keys[1]], file[keys[2]], database, password, comments);
        PostgresUrl url = PostgresDraft.UrlOf(file[keys[3]], file[keys[1]], file[keys[2]], database);
        return PostgresDraft.Finding(reason, url, DraftField.Of("url", PostgresDraft.Written(url)), password, comments);
    }
}
