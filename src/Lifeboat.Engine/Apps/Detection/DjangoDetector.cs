namespace Lifeboat.Engine.Apps.Detection;

/// <summary>Reads Django's settings modules as text: <c>DATABASES</c> and <c>MEDIA_ROOT</c>.</summary>
internal sealed class DjangoDetector(FolderScan scan, IReadOnlyList<EnvironmentFile> environment)
{
    private static readonly string[] ConnectionKeys = ["NAME", "USER", "HOST", "PORT", "PASSWORD"];

    public async Task<IReadOnlyList<Finding>> DetectAsync(CancellationToken cancellation)
    {
        List<Finding> findings = [];
        IEnumerable<ScannedFile> modules = scan.Files.Where(static f => f.Depth <= 5 && f.Name.EndsWith(".py", StringComparison.Ordinal)
            && (f.Name.Contains("settings", StringComparison.Ordinal) || f.Relative.Contains("settings/", StringComparison.Ordinal)));
        foreach (ScannedFile module in modules)
        {
            if (await TextFile.ReadAsync(module.FullPath, cancellation) is not { } text)
                continue;
            foreach ((string alias, PythonValue database) in PythonDictionary.Assigned(text, "DATABASES")?.Entries ?? new Dictionary<string, PythonValue>())
            {
                if (await DatabaseAsync(module, alias, database, cancellation) is { } finding)
                    findings.Add(finding);
            }

            if (Media(module, PythonDictionary.Assigned(text, "MEDIA_ROOT")) is { } media)
                findings.Add(media);
        }

        return findings;
    }

    private async Task<Finding?> DatabaseAsync(ScannedFile module, string alias, PythonValue database, CancellationToken cancellation)
    {
        string reason = $"DATABASES[\"{alias}\"] in {module.Relative}";
        string engine = Known(database["ENGINE"]) ?? "";
        if (engine.Contains("mysql", StringComparison.Ordinal))
            return MySql(module, reason, database);
        if (engine.Contains("sqlite", StringComparison.Ordinal) || engine.Contains("spatialite", StringComparison.Ordinal))
            return await SqliteAsync(module, reason, database, cancellation);
        bool isPostgres = engine.Contains("postg", StringComparison.Ordinal) || engine.Contains("timescale", StringComparison.Ordinal);
        return isPostgres ? Postgres(module, reason, database) : null;
    }

    private async Task<Finding?> SqliteAsync(ScannedFile module, string reason, PythonValue database, CancellationToken cancellation)
    {
        foreach (string path in Candidates(module, Known(database["NAME"])))
        {
            if (await SqliteDetector.IsDatabaseAsync(path, cancellation))
                return SqliteDetector.Found(scan, path, reason);
        }

        return null;
    }

    private Finding Postgres(ScannedFile module, string reason, PythonValue database)
    {
        string? name = Known(database["NAME"]);
        string? user = Known(database["USER"]);
        string? host = Known(database["HOST"]);
        bool isUnclear = string.IsNullOrEmpty(name) || (database["USER"] is not null && user is null) || (database["HOST"] is not null && host is null);
        (string? password, string[] comments) = Password(module, database["PASSWORD"]);
        if (!isUnclear)
        {
            PostgresUrl url = PostgresDraft.UrlOf(user, host, Known(database["PORT"]), name!);
            if (PostgresDraft.Finding(reason, url, DraftField.Of("url", PostgresDraft.Written(url)), password, comments) is { } source)
                return source;
        }

        string[] variables = [.. ConnectionKeys.Select(key => database[key]?.Variable).OfType<string>()];
        string where = variables.Length == 0 ? "" : $"; the settings come from {string.Join(", ", variables)}";
        return new NoteFinding(
            $"{reason} is a PostgreSQL database{where}",
            ["main: {type: postgres, url: \"postgresql://USER@HOST:5432/DATABASE\", password: \"env:NAME\"}"]);
    }

    private Finding MySql(ScannedFile module, string reason, PythonValue database)
    {
        if (Known(database["NAME"]) is not { Length: > 0 } name || (database["USER"] is not null && Known(database["USER"]) is null))
            return new NoteFinding($"{reason} is a MySQL database", ["main: {type: mysql, url: \"mysql://USER@HOST:3306/DATABASE\", password: \"env:NAME\"}"]);
        (string? password, string[] comments) = Password(module, database["PASSWORD"]);
        return MySqlDraft.OfSettings(reason, Known(database["USER"]), Known(database["HOST"]), Known(database["PORT"]), name, password, comments);
    }

    private (string? Reference, string[] Comments) Password(ScannedFile module, PythonValue? password)
    {
        if (password is null or { Text: "", Variable: null })
            return (null, []);
        if (password.Variable is null || !SecretReference.IsVariableName(password.Variable))
            return ("env:DJANGO_DB_PASSWORD", [$"set DJANGO_DB_PASSWORD before a backup; the password stands in {module.Relative}"]);
        EnvironmentFile? file = environment.FirstOrDefault(file => file[password.Variable] is not null);
        return file is null
            ? ($"env:{password.Variable}", [$"set {password.Variable} before a backup, as for the application itself"])
            : (file.ReferenceTo(password.Variable), [$"the password is {password.Variable} of {file.RelativePath}"]);
    }

    private SourceFinding? Media(ScannedFile module, PythonValue? media)
    {
        string? folder = Candidates(module, Known(media)).FirstOrDefault(path => Directory.Exists(path) && path != scan.Root);
        return folder is null ? null : FolderDetector.Found(scan, folder, $"MEDIA_ROOT in {module.Relative}");
    }

    // BASE_DIR is most often the folder above the one with the settings; not knowing, try each from there up to the app's.
    private IEnumerable<string> Candidates(ScannedFile module, string? path)
    {
        if (string.IsNullOrWhiteSpace(path) || path.Contains('\0', StringComparison.Ordinal))
            yield break;
        string? folder = Path.GetDirectoryName(module.FullPath);
        for (; folder is not null && folder.StartsWith(scan.Root, StringComparison.Ordinal); folder = Path.GetDirectoryName(folder))
            yield return Path.TrimEndingDirectorySeparator(Path.GetFullPath(Path.Combine(folder, path)));
    }

    /// <summary>A value as far as texts tell: a literal, a variable's value in a <c>.env</c> file, its default.</summary>
    private string? Known(PythonValue? value)
    {
        if (value?.Variable is not { } variable)
            return value?.Text;
        return environment.Select(file => file[variable]).FirstOrDefault(static text => text is not null && !text.Contains('$', StringComparison.Ordinal)) ?? value.Text;
    }
}
