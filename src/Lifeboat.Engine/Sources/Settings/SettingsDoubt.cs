namespace Lifeboat.Engine.Sources.Settings;

#pragma warning disable CA1064 // it is caught beside where it is thrown
/// <summary>A settings file that the programs which read such files would not all understand alike: where its values end is not sure.</summary>
/// <param name="line">Counted from 1.</param>
internal sealed class SettingsDoubtException(int line, string why) : Exception(FormattableString.Invariant($"line {line}: {why}"))
{
    /// <summary>For a place in a text.</summary>
    public static SettingsDoubtException At(string text, int place, string why) =>
        new(1 + text.AsSpan(0, Math.Min(place, text.Length)).Count('\n'), why);
}
#pragma warning restore CA1064
