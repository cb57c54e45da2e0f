using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.Local;
using Lifeboat.Engine.Sources.Sqlite;

namespace Lifeboat.Engine.Sources.Chroma;

/// <summary>Tells a persist directory from everything else, and says why something is none.</summary>
internal static class ChromaDirectory
{
    public static SqliteSettings DatabaseOf(ChromaSettings settings) => new(settings.Name, Path.Combine(settings.Path, ChromaNames.Database));

    /// <exception cref="LifeboatException">It is not there, cannot be read, or is no persist directory.</exception>
    public static Folder Open(ChromaSettings settings)
    {
        Folder root;
        try
        {
            root = Folder.Open(settings.Path);
        }
        catch (IOException e)
        {
            throw Unusable(
                settings,
                FileFailure.TroubleOf(e) switch
                {
                    FileTrouble.WrongKind => $"{settings.Path} is not a folder",
                    FileTrouble.Missing => $"the Chroma directory {settings.Path} is not there",
                    _ => e.Message,
                },
                $"correct sources.{settings.Name}.path (the folder that Chroma's --path or persist_directory names), or run as a user who may read it",
                e);
        }

        if (root.Find(Folder.Name(ChromaNames.Database)) is { Kind: FileKind.Regular })
            return root;
        bool old = root.Find("chroma-collections.parquet"u8.ToArray()) is not null;
        root.Dispose();
        throw old
            ? Unusable(settings, $"{settings.Path} is of Chroma before 0.4, which kept Parquet files", "migrate it with chroma-migrate, or capture it as a files source while Chroma is stopped")
            : Unusable(
                settings,
                $"{settings.Path} is not a Chroma directory: there is no {ChromaNames.Database} in it",
                $"correct sources.{settings.Name}.path: the folder that Chroma's --path or persist_directory names");
    }

    /// <summary>Runs work on the directory and its database, and tells failures as a person should read them.</summary>
    public static Task TellAsync(ChromaSettings settings, Func<Task> work) => FileFailure.TellAsync(settings.Name, async () =>
    {
        try
        {
            await work();
        }
        catch (SqliteFailure e)
        {
            throw e.Tell(DatabaseOf(settings).Path, settings.Name);
        }
    });

    /// <exception cref="LifeboatException">The database is none of Chroma's.</exception>
    public static void RequireTables(ChromaDatabase database, ChromaSettings settings)
    {
        if (database.MissingTables() is { Count: > 0 } missing)
            throw Unusable(
                settings,
                $"{settings.Path} is not a Chroma directory: its {ChromaNames.Database} has no table {string.Join(", ", missing)}",
                $"correct sources.{settings.Name}.path; a database that Chroma has only begun to make is whole once its server has started");
    }

    private static LifeboatException Unusable(ChromaSettings settings, string message, string hint, Exception? inner = null) =>
        new(ErrorCodes.ChromaUnusable, message, hint, settings.Name, inner);
}
