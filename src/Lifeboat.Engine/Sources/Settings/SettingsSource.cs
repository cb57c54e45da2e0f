using System.Text.Json;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Apps.Validation;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Local;

namespace Lifeboat.Engine.Sources.Settings;

/// <summary>Settings files byte for byte, and the values of named environment variables.</summary>
public sealed class SettingsSource(SettingsSettings settings, RunContext run) : ISource
{
    public string Name => settings.Name;

    public Task<IReadOnlyList<Problem>> CheckAsync(CancellationToken cancellation) =>
        Task.Run<IReadOnlyList<Problem>>(
            async () =>
            {
                List<Problem> problems = [.. FileProblems(), .. VariableProblems()];
                return problems.Count > 0 || settings.Redact.Count == 0 ? problems : await RedactionProblemsAsync(cancellation);
            },
            cancellation);

    public async Task<ICapture> OpenAsync(CancellationToken cancellation)
    {
        IReadOnlyList<Problem> problems = await CheckAsync(cancellation);
        if (problems.Count > 0)
            throw new LifeboatException(problems);
        return new SettingsCapture(settings, run);
    }

    public IRestoration PrepareRestore(VerifiedSnapshot snapshot, SourceMetadata captured, RestoreRun restore) =>
        Prepare(snapshot, captured, RestoreScope.Whole, restore);

    public IRestoration PreparePart(VerifiedSnapshot snapshot, SourceMetadata captured, RestoreScope scope, RestoreRun restore) => scope.Mode == RestoreMode.Beside
        ? throw new LifeboatException(
            ErrorCodes.PartsUnsupported, "settings have no place beside the live ones in which an application would look for them",
            $"restore them to another folder with `--target {Name}=…`", Name)
        : Prepare(snapshot, captured, scope, restore);

    private SettingsRestoration Prepare(VerifiedSnapshot snapshot, SourceMetadata captured, RestoreScope scope, RestoreRun restore) =>
        FileFailure.Tell(Name, () => new SettingsRestoration(settings, run, snapshot, captured, scope, restore));

    /// <summary>What was captured below the app's folder goes back there, also where the app file does not name it any more.</summary>
    public ISwitch Resume(JsonElement record, RestoreRun restore)
    {
        string[] places = [.. settings.Files.Select(SwitchPlace.Resolve)];
        PathNames names = new(Name, path => places.Contains(path) || AppPaths.Inside(settings.Directory, path) is not (null or "."));
        return new PathSwitch(run, Name, PathSwitchRecord.From(record, Name, names, []));
    }

    private IEnumerable<Problem> FileProblems()
    {
        foreach (string path in settings.Files)
        {
            if (!File.Exists(path))
                yield return new Problem(
                    ErrorCodes.SettingsFileMissing,
                    Directory.Exists(path) ? $"the settings file {path} is a folder" : $"the settings file {path} is not there",
                    $"correct sources.{Name}.files, or create the file",
                    Name);
            else if (!MayRead(path))
                yield return new Problem(
                    ErrorCodes.FileUnreadable, $"no right to read the settings file {path}", "run as a user who may read it, or correct its mode", Name);
        }
    }

    private async Task<IReadOnlyList<Problem>> RedactionProblemsAsync(CancellationToken cancellation)
    {
        try
        {
            await using SettingsCapture capture = new(settings, run);
            await FileFailure.TellAsync(Name, () => Task.Run(() => capture.ReadRedacted(cancellation), cancellation));
            return [];
        }
        catch (LifeboatException e)
        {
            return e.Problems;
        }
    }

    private static bool MayRead(string path)
    {
        using Folder folder = Folder.Open(Path.GetDirectoryName(path)!);
        return folder.MayRead(Folder.Name(Path.GetFileName(path)));
    }

    private IEnumerable<Problem> VariableProblems()
    {
        foreach (string name in settings.Environment)
        {
            if (!EnvironmentFile.IsName(name))
                yield return new Problem(
                    ErrorCodes.VariableUnusable, $"{name} is not a name that a shell takes for a variable", $"correct sources.{Name}.environment", Name);
            else if (settings.Redact.Contains(name))
                continue; // its value is not asked for
            else if (!run.Host.Variables.TryGetValue(name, out string? value))
                yield return new Problem(
                    ErrorCodes.VariableMissing,
                    $"the environment variable {name} is not set",
                    $"set it where Lifeboat is started as it is set for the application, or remove it from sources.{Name}.environment",
                    Name);
            else if (!EnvironmentFile.IsExact(value))
                yield return new Problem(
                    ErrorCodes.VariableUnusable,
                    $"the environment variable {name} has a value that is not UTF-8, which cannot be captured exactly",
                    "keep that value in a settings file instead",
                    Name);
        }
    }
}
