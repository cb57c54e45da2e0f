using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;

namespace Lifeboat.Engine.Restore;

/// <summary>Which sources of a snapshot are restored, and into which of the app's.</summary>
internal static class Selection
{
    /// <exception cref="LifeboatException">A source is not in the snapshot, not in the app, or of another type.</exception>
    public static IReadOnlyList<SourceMetadata> Of(App app, SnapshotMetadata snapshot, IReadOnlyList<string> only)
    {
        List<Problem> problems = [];
        foreach (string name in only.Where(name => snapshot.Sources.All(source => source.Name != name)))
            problems.Add(new Problem(
                ErrorCodes.SourceNotInSnapshot,
                $"the snapshot has no source named {name}",
                $"it has {string.Join(", ", snapshot.Sources.Select(static source => source.Name))}",
                name));
        SourceMetadata[] chosen = [.. snapshot.Sources.Where(source => only.Count == 0 || only.Contains(source.Name))];
        foreach (SourceMetadata source in chosen)
        {
            SourceSettings? settings = app.Sources.FirstOrDefault(one => one.Name == source.Name);
            if (settings is null)
                problems.Add(new Problem(
                    ErrorCodes.SourceNotInSnapshot,
                    $"the snapshot's source {source.Name} ({source.Type}) is not in the app file",
                    $"add it to the app file, or leave it out with `--only {string.Join(" --only ", app.Sources.Select(static one => one.Name))}`",
                    source.Name));
            else if (settings.Type != source.Type)
                problems.Add(new Problem(
                    ErrorCodes.SourceNotInSnapshot,
                    $"the source {source.Name} is {source.Type} in the snapshot and {settings.Type} in the app file",
                    "correct its type in the app file",
                    source.Name));
        }

        return problems.Count == 0 ? InnerFirst(app, chosen) : throw new LifeboatException(problems);
    }

    /// <summary>
    /// Sources in the snapshot's order, but each that lies in another's folder before that one: the folders that are made for it then go when it is taken back,
    /// and a folder around it finds it in its place.
    /// </summary>
    private static List<SourceMetadata> InnerFirst(App app, IReadOnlyList<SourceMetadata> chosen)
    {
        Dictionary<string, SourceSettings> settings = app.Sources.ToDictionary(static source => source.Name);
        List<SourceMetadata> ordered = [];
        List<SourceMetadata> waiting = [.. chosen];
        while (waiting.Count > 0)
        {
            bool hasInner(SourceMetadata one) => waiting.Exists(other => other != one && ReservedPaths.IsInside(settings[other.Name], settings[one.Name]));
            SourceMetadata next = waiting.Find(one => !hasInner(one)) ?? waiting[0];
            waiting.Remove(next);
            ordered.Add(next);
        }

        return ordered;
    }

    /// <summary>The settings of a source for this restore; those of a plain one do not make anything neutral.</summary>
    public static SourceSettings SettingsOf(App app, SourceMetadata source, RestoreRequest request)
    {
        SourceSettings settings = app.Sources.First(one => one.Name == source.Name);
        if (!(request.Neutralize ?? request.Targets.ContainsKey(source.Name)))
            settings = settings.AsItWas();
        return settings switch
        {
            PostgresSettings postgres => postgres with { UpdateRoles = request.UpdateRoles },
            MySqlSettings mysql => mysql with { UpdateRoles = request.UpdateRoles },
            _ => settings,
        };
    }

    /// <summary>The restorations of all chosen sources.</summary>
    /// <exception cref="LifeboatException">Some cannot be restored as is asked; every such reason.</exception>
    public static IReadOnlyList<(string Name, IRestoration Restoration)> Prepare(
        IReadOnlyList<SourceMetadata> chosen, Func<SourceMetadata, RestoreRun, IRestoration> prepare, Func<string, RestoreRun> runOf)
    {
        List<Problem> problems = [];
        List<(string, IRestoration)> prepared = [];
        foreach (SourceMetadata source in chosen)
        {
            try
            {
                prepared.Add((source.Name, prepare(source, runOf(source.Name))));
            }
            catch (LifeboatException e)
            {
                problems.AddRange(e.Problems);
            }
        }

        return problems.Count == 0 ? prepared : throw new LifeboatException(problems);
    }

    /// <exception cref="LifeboatException">What is asked for contradicts itself, or nothing says how it is done.</exception>
    public static void RequireFitting(App app, IReadOnlyList<SourceMetadata> chosen, RestoreRequest request)
    {
        bool isPart(SourceMetadata one) => !request.ScopeOf(one.Name).IsWhole;
        if (request.UpdateRoles && chosen.FirstOrDefault(isPart) is { } leavesRoles)
            throw new LifeboatException(
                ErrorCodes.Usage, $"--update-roles goes with the restore of whole sources, and of {leavesRoles.Name} only parts are restored or added",
                "run two restores: one of the whole database, one of the parts");
        if (chosen.FirstOrDefault(one => isPart(one) && SettingsOf(app, one, request).CanBeNeutral) is { } asItWas)
            throw new LifeboatException(
                ErrorCodes.Usage, $"{asItWas.Name} would have to be made neutral, and its parts are restored as they were",
                "add --no-neutralize if that is wanted, or restore the whole source");
        if (request.Neutralize == true && !chosen.Any(one => SettingsOf(app, one, request).CanBeNeutral))
            throw new LifeboatException(
                ErrorCodes.Usage, "--neutralize is asked for, and no source that is restored has `neutralize:` in the app file",
                "write there what makes a copy neutral (docs/sensitive-data.md), or leave --neutralize out");
    }

    /// <summary>Sources of the app that the snapshot lacks: they stay as they are, and a person should know.</summary>
    public static IEnumerable<Problem> Warnings(App app, SnapshotMetadata snapshot, IReadOnlyList<string> only) => app.Sources
        .Where(source => only.Count == 0 && snapshot.Sources.All(one => one.Name != source.Name))
        .Select(static source => new Problem(
            ErrorCodes.PartialSnapshot,
            $"the source {source.Name} is not in this snapshot and stays as it is",
            "choose a snapshot that has it if it should be restored too",
            source.Name));
}
