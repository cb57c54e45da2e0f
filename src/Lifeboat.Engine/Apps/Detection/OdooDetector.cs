namespace Lifeboat.Engine.Apps.Detection;

/// <summary>Reads Odoo's settings file: its databases, and the file store of each.</summary>
internal sealed class OdooDetector(FolderScan scan, DetectionPlaces places)
{
    private static readonly string[] Names = ["odoo.conf", ".odoorc", "odoo-server.conf", "openerp-server.conf"];

    /// <summary>Reads the settings files of the app's folder.</summary>
    public Task<IReadOnlyList<Finding>> DetectInFolderAsync(CancellationToken cancellation) =>
        DetectAsync([.. scan.Files.Where(static f => f.Depth <= 3 && Names.Contains(f.Name)).Select(static f => f.FullPath)], cancellation);

    /// <summary>Reads the settings files of the machine.</summary>
    public Task<IReadOnlyList<Finding>> DetectOnMachineAsync(CancellationToken cancellation) =>
        DetectAsync([.. places.OdooFiles.Where(File.Exists)], cancellation);

    private async Task<IReadOnlyList<Finding>> DetectAsync(IReadOnlyList<string> files, CancellationToken cancellation)
    {
        List<Finding> findings = [];
        foreach (string file in files)
        {
            string written = WrittenPath.Of(scan.Root, file);
            if (await TextFile.ReadAsync(file, cancellation) is { } text)
                findings.AddRange(Detect(file, written, Options(text)));
            else
                findings.Add(new NoteFinding($"{written} is there, but cannot be read", ["run `lifeboat init` as a user who may read it"]));
        }

        return findings;
    }

    private IEnumerable<Finding> Detect(string file, string written, Dictionary<string, string> options)
    {
        string? data = options.GetValueOrDefault("data_dir");
        string[] folders = data is not null && Path.IsPathFullyQualified(data) ? [data] : [.. places.OdooData];
        string[] databases = options.TryGetValue("db_name", out string? names)
            ? names.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            : [.. folders.SelectMany(FileStores).Select(static store => Path.GetFileName(store)!)];
        if (databases.Length == 0)
            yield return new NoteFinding(
                $"{written} is Odoo's, and names no database", ["add a source of type postgres for each database, and one of type files for its file store"]);
        foreach (string database in databases)
        {
            if (Database(written, options, database) is { } source)
                yield return source;
            foreach (string store in folders.Select(folder => Path.Combine(folder, "filestore", database)).Where(Directory.Exists).Take(1))
                yield return Files(store, written, database);
        }

        yield return new SettingsFileFinding($"{written} is Odoo's settings file", file);
    }

    private static SourceFinding? Database(string written, Dictionary<string, string> options, string database)
    {
        PostgresUrl url = PostgresDraft.UrlOf(
            options.GetValueOrDefault("db_user"), options.GetValueOrDefault("db_host"), options.GetValueOrDefault("db_port"), database);
        string? password = null;
        if (options.ContainsKey("db_password"))
        {
            string command = $"command:sed -n 's/^ *db_password *= *//p' '{written}'";
            bool works = !OperatingSystem.IsWindows() && !written.Contains('\'', StringComparison.Ordinal) && SecretReference.TryParse(command, out _);
            password = works ? command : "env:ODOO_DB_PASSWORD";
        }

        string[] comments = password is null ? [] : [$"the password is db_password of {written}"];
        return PostgresDraft.Finding($"{written} is Odoo's and names it", url, DraftField.Of("url", PostgresDraft.Written(url)), password, comments);
    }

    private SourceFinding Files(string store, string written, string database) => new(
        $"Odoo's file store of {database}, by {written}",
        new SourceDraft(
            DraftNames.Of(database, "odoo") + "-filestore", "files", "files:" + store,
            [DraftField.Of("path", WrittenPath.Of(scan.Root, store)), DraftField.Of("exclude", ["checklist"])], []));

    private static string[] FileStores(string data)
    {
        string folder = Path.Combine(data, "filestore");
        EnumerationOptions options = new() { IgnoreInaccessible = true };
        return Directory.Exists(folder) ? [.. Directory.EnumerateDirectories(folder, "*", options).Order(StringComparer.Ordinal)] : [];
    }

    // Python's configparser: `name = value` or `name: value`; False and None stand for nothing.
    private static Dictionary<string, string> Options(string text)
    {
        Dictionary<string, string> options = new(StringComparer.OrdinalIgnoreCase);
        foreach (string line in text.ReplaceLineEndings("\n").Split('\n'))
        {
            int separator = line.AsSpan().IndexOfAny('=', ':');
            if (separator <= 0 || line.TrimStart() is ['#', ..] or [';', ..] or ['[', ..])
                continue;
            string value = line[(separator + 1)..].Trim();
            if (value is not ("" or "False" or "None"))
                options[line[..separator].Trim()] = value;
        }

        return options;
    }
}
