using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;

namespace Lifeboat.Engine.Apps;

/// <summary>Makes an app out of a snapshot and targets, for a restore on a machine that has no app file.</summary>
public static class AppFromSnapshot
{
    /// <summary>libpq's own variable, which is what a restore without an app file goes by.</summary>
    private const string DatabasePasswordVariable = "PGPASSWORD";

    /// <summary>The password of URLs where there is no app file; null where the client programs find it themselves.</summary>
    internal static SecretReference? DatabasePassword(IReadOnlyDictionary<string, string> variables) =>
        variables.ContainsKey(DatabasePasswordVariable) ? new SecretReference(SecretScheme.Env, DatabasePasswordVariable) : null;

    /// <param name="targets">A URL or an absolute path for each source that is restored, by its name.</param>
    /// <param name="only">The sources that are restored; null or empty for all.</param>
    /// <param name="directory">Where <c>.lifeboat/</c> is kept; absolute.</param>
    /// <param name="databasePassword">The password of URLs, or null where the client programs find it themselves (<c>.pgpass</c>).</param>
    /// <exception cref="LifeboatException">A source lacks a target, has an unsuitable one, or is of an unknown type; every such reason.</exception>
    public static App Build(
        SnapshotMetadata metadata,
        IReadOnlyDictionary<string, string> targets,
        IReadOnlyCollection<string>? only,
        string directory,
        SecretReference? databasePassword)
    {
        string[] names = [.. metadata.Sources.Select(static source => source.Name)];
        List<Problem> problems = [.. targets.Keys.Where(name => !names.Contains(name)).Select(name => App.UnknownTarget(name, names))];
        List<SourceSettings> sources = [];
        foreach (SourceMetadata source in metadata.Sources.Where(s => only is null or { Count: 0 } || only.Contains(s.Name)))
        {
            if (Empty(source.Name, source.Type, directory, databasePassword) is not { } settings)
                problems.Add(new Problem(
                    ErrorCodes.SourceUnsupported, $"sources of type `{source.Type}` are not supported by this version",
                    "restore it with a newer Lifeboat, or leave it out with --only", source.Name));
            else if (!targets.TryGetValue(source.Name, out string? target))
                problems.Add(Lacking(source));
            else
                AddTarget(sources, settings, target, problems);
        }

        return problems.Count > 0
            ? throw new LifeboatException(problems)
            : new App { Name = metadata.App, File = null, Directory = directory, Sources = sources, Stores = [], Password = null };
    }

    private static void AddTarget(List<SourceSettings> sources, SourceSettings settings, string target, List<Problem> problems)
    {
        try
        {
            sources.Add(settings.WithTarget(target));
        }
        catch (LifeboatException e)
        {
            problems.AddRange(e.Problems);
        }
    }

    /// <summary>A source of which only the type is known: it wants a target. Null for an unknown type.</summary>
    internal static SourceSettings? Empty(string name, string type, string directory, SecretReference? databasePassword) => type switch
    {
        "postgres" => new PostgresSettings(name, null, null, databasePassword, []),
        "mysql" => new MySqlSettings(name, null, null, null, []),
        "sqlite" => new SqliteSettings(name, directory),
        "chroma" => new ChromaSettings(name, directory),
        "files" => new FilesSettings(name, directory, []),
        "settings" => new SettingsSettings(name, directory, [], []),
        _ => null,
    };

    private static Problem Lacking(SourceMetadata source)
    {
        string example = source.Type switch
        {
            "postgres" => "postgresql://user@host:5432/database",
            "mysql" => "mysql://user@host:3306/database",
            "sqlite" => "PATH-OF-THE-DATABASE-FILE",
            _ => "FOLDER",
        };
        return new Problem(
            ErrorCodes.TargetMissing, $"there is no app file, and no target for source `{source.Name}` ({source.Type})",
            $"add --target {source.Name}={example}, name an app file with --config, or leave the source out with --only", source.Name);
    }
}
