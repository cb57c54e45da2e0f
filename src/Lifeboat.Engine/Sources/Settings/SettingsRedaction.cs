using System.Text;
using System.Text.Json;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Local;

namespace Lifeboat.Engine.Sources.Settings;

/// <summary>Takes the values of some settings out of the files' texts, and looks whether they still stand somewhere.</summary>
internal sealed class SettingsRedaction(SettingsSettings settings, RunContext run)
{
    /// <summary>Files are changed in memory.</summary>
    public const int MostBytes = 8 << 20;

    // Shorter ones stand in many places that have nothing to do with them.
    private const int ShortestSecret = 8;

    private readonly List<Problem> _problems = [];
    private readonly HashSet<(string Path, string Name)> _unsure = [];

    public bool IsWanted => settings.Redact.Count > 0;

    public bool IsLeftOut(string variable) => settings.Redact.Contains(variable);

    /// <summary>Changes the texts; gives what was left out.</summary>
    /// <exception cref="LifeboatException">Every name that is nowhere, and every value that would be captured all the same.</exception>
    public IReadOnlyList<RedactedMetadata> Apply(IReadOnlyList<SettingsText> files)
    {
        _problems.Clear();
        _unsure.Clear();
        List<RedactedMetadata> left = [];
        List<(string Name, string Value)> secrets = [];
        foreach (string name in settings.Redact)
        {
            bool found = false;
            foreach (SettingsText file in files)
            {
                IReadOnlyList<SettingPlace>? places = Places(file, name);
                found |= places is not { Count: 0 };
                if (places is null or { Count: 0 })
                    continue;
                left.Add(new RedactedMetadata("setting", $"{SettingsPaths.Recorded(settings.Directory, file.Path)}: {name}", "null"));
                secrets.AddRange(places.Select(place => (name, place.Value)));
                file.Replace(places, _ => file.Empty);
            }

            if (settings.Environment.Contains(name))
            {
                found = true;
                left.Add(new RedactedMetadata("variable", name, "null"));
                if (run.Host.Variables.TryGetValue(name, out string? value))
                    secrets.Add((name, value));
            }

            if (!found)
                _problems.Add(Redacting.Unknown(
                    settings.Name, name, "neither a settings file nor `environment:` has a setting of this name", settings.Environment));
        }

        foreach (SettingsText file in files.Where(static file => file.Kind != SettingsKind.Other))
            RequireNoOther(file);
        foreach ((string name, string value) in secrets.SelectMany(static one => Pieces(one.Value).Select(piece => (one.Name, piece))).Distinct())
        {
            if (value.Length >= ShortestSecret)
                LookFor(name, value, files);
        }

        return _problems.Count == 0 ? left : throw new LifeboatException([.. _problems.Distinct()]);
    }

    /// <summary>Null where the file cannot be read so, which is a problem of its own.</summary>
    private IReadOnlyList<SettingPlace>? Places(SettingsText file, string name)
    {
        try
        {
            if (file.Kind != SettingsKind.Other)
                return file.Find(name);
            if (!file.Mentions(name))
                return [];
            _problems.Add(Redacting.Refused(
                settings.Name, name, $"it stands in {file.Path}, and where its value ends is known of .env, INI and JSON files alone",
                "remove the file from `files:`, or keep the setting in a file of one of these kinds"));
        }
        catch (SettingsDoubtException e)
        {
            _problems.Add(Unsure(file, name, e));
        }
        catch (JsonException e)
        {
            _problems.Add(Redacting.Refused(settings.Name, name, $"{file.Path} is not JSON: {Place(e)}", "mend the file, or remove it from `files:`"));
        }

        return null;
    }

    private void RequireNoOther(SettingsText file)
    {
        foreach (string name in settings.Redact.Where(name => !_unsure.Contains((file.Path, name))))
        {
            try
            {
                file.RequireNoOther(name);
            }
            catch (SettingsDoubtException e)
            {
                _problems.Add(Unsure(file, name, e));
            }
        }
    }

    private Problem Unsure(SettingsText file, string name, SettingsDoubtException e)
    {
        _unsure.Add((file.Path, name));
        return Redacting.Refused(
            settings.Name, name, $"{file.Path}, {e.Message}; programs differ in what they make of that, and a part of a secret might be captured",
            "write each setting as NAME=value on a line of its own, in double quotes where the value holds others than letters and digits, "
            + "or remove the file from `files:`");
    }

    /// <summary>A value, and its lines.</summary>
    private static IEnumerable<string> Pieces(string value) =>
        value.Contains('\n', StringComparison.Ordinal) ? value.Split('\n', StringSplitOptions.TrimEntries).Append(value) : [value];

    private static string Place(JsonException e) => FormattableString.Invariant($"line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}");

    private void LookFor(string name, string value, IReadOnlyList<SettingsText> files)
    {
        foreach (SettingsText file in files.Where(file => file.Mentions(value)))
            Incomplete(name, file.Path);
        foreach (string variable in settings.Environment.Where(variable => !IsLeftOut(variable)))
            if (run.Host.Variables.TryGetValue(variable, out string? other) && new SettingsText("", Encoding.UTF8.GetBytes(other)).Mentions(value))
                Incomplete(name, $"the environment variable {variable}");
    }

    private void Incomplete(string name, string where) => _problems.Add(new Problem(
        ErrorCodes.RedactIncomplete, $"the value of {name} also stands in {where}, and would be captured there",
        "redact the setting that it stands in there too, or leave that out of the source", settings.Name));
}
